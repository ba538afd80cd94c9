// Wraps long untrusted text into terminal rows. A terminal continues a long row at its left edge. There, text with
// enough spaces, or with characters that take two cells, could imitate a row that the program wrote.
//
// The width of characters is overestimated: printable ASCII counts as one cell, and every other character as two. The
// width of accented, Greek, Cyrillic and other characters (East Asian Width "Ambiguous", UAX #11) depends on the
// terminal's settings. A row is never split inside a grapheme cluster (UAX #29, `Intl.Segmenter`). Continuation rows
// are indented to the column of the value.
//
//     breakRows('  reason  ', 'a refund of 500 for an order that was never delivered', 40)
//     // [
//     //   '  reason  a refund of 500 for an order ',
//     //   '          that was never delivered',
//     // ]
//
// The text must be escaped by `escapeForTerminal` first, so that it has no control characters.

/** The limits for the width. If the width of a terminal is unknown, 80 columns are assumed. */
export const COLUMNS_DEFAULT = 80
const COLUMNS_MIN = 40
const COLUMNS_MAX = 200

const SEGMENTER = new Intl.Segmenter()
const PRINTABLE_ASCII = /^[\x20-\x7e]*$/

/** Returns the width to use, in cells: the terminal's width, limited to 40…200. */
export function usableColumns(columns: number | undefined): number {
  return Math.min(COLUMNS_MAX, Math.max(COLUMNS_MIN, columns ?? COLUMNS_DEFAULT))
}

/**
 * Formats a label and a text as rows. All rows except the first are indented.
 *
 * @param label - ASCII text that the program wrote
 * @param text - escaped by `escapeForTerminal`
 * @param columns - the width of the terminal in cells, see `usableColumns`
 * @param indent - the number of spaces before the continuation rows; default: the length of the label
 */
export function breakRows(label: string, text: string, columns: number, indent = label.length): readonly string[] {
  const pieces: string[] = []
  const room = (first: boolean): number => Math.max(8, columns - (first ? label.length : indent) - 1)
  if (PRINTABLE_ASCII.test(text)) {
    for (let from = 0; from === 0 || from < text.length; ) {
      const piece = text.slice(from, from + room(from === 0))
      pieces.push(piece)
      from += Math.max(1, piece.length)
    }
  } else {
    let piece = ''
    let cells = 0
    for (const { segment } of SEGMENTER.segment(text)) {
      const more = cellsAtMost(segment)
      if (cells > 0 && cells + more > room(pieces.length === 0)) {
        pieces.push(piece)
        piece = ''
        cells = 0
      }
      piece += segment
      cells += more
    }
    pieces.push(piece)
  }
  const blanks = ' '.repeat(indent)
  return pieces.map((piece, index) => (index === 0 ? label : blanks) + piece)
}

/**
 * Returns an upper bound for the number of cells that a text needs. For accented, Greek, Cyrillic and many other
 * characters, the terminal's settings decide between one and two cells. A row that is too short does no harm.
 */
function cellsAtMost(text: string): number {
  let cells = 0
  for (const char of text) cells += PRINTABLE_ASCII.test(char) ? 1 : 2
  return cells
}
