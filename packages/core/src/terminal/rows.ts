// Long text of others on a terminal, broken into rows here: a terminal would go on at its left edge, where text with enough blanks in it, or
// with characters that take two cells, could look like a row of ours.

/** A terminal that does not say how wide it is, or says something absurd, is taken for one of these. */
export const COLUMNS_DEFAULT = 80
const COLUMNS_MIN = 40
const COLUMNS_MAX = 200

const SEGMENTER = new Intl.Segmenter()
const PRINTABLE_ASCII = /^[\x20-\x7e]*$/

/** The width to write for, in cells: what the terminal says, between 40 and 200. */
export function usableColumns(columns: number | undefined): number {
  return Math.min(COLUMNS_MAX, Math.max(COLUMNS_MIN, columns ?? COLUMNS_DEFAULT))
}

/**
 * A label and a text behind it, as rows that fit; every row but the first begins with blanks.
 *
 * @param label - text of ours, in ASCII; its length is the indent of the further rows unless `indent` is given
 * @param text - made printable before (see `printable`)
 * @param columns - cells of the terminal, see `usableColumns`
 * @param indent - blanks in front of the further rows
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
 * As many cells as any terminal may give a text: for accented, Greek, Cyrillic and many other characters it depends on the terminal's
 * settings whether they take one or two, and a row that is too short does no harm.
 */
function cellsAtMost(text: string): number {
  let cells = 0
  for (const char of text) cells += PRINTABLE_ASCII.test(char) ? 1 : 2
  return cells
}
