// Measures text in terminal cells: wide East Asian characters and emoji take two cells, combining marks take none
// (Unicode Annex 11).
const segmenter = new Intl.Segmenter()

// Wide blocks; the half-width forms (FF61–FFDC) are narrow.
const WIDE =
  /^(?:\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|\p{Script=Bopomofo}|\p{Script=Yi}|\p{Script=Tangut}|\p{Emoji_Presentation}|[\u3000-\u303e\u31c0-\u31ef\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6])/u
const HALF_WIDTH = /^[\uff61-\uffdc]/u
const MARK = /^\p{M}+$/u
/** The variation selector that requests the emoji form of a character. */
const EMOJI_STYLE = '\ufe0f'
const PRINTABLE_ASCII = /^[\x20-\x7e]*$/

/** Returns the width, in cells, of a string without control characters (see `escapeForTerminal`). */
export function widthOf(text: string): number {
  if (PRINTABLE_ASCII.test(text)) return text.length
  let cells = 0
  for (const { segment } of segmenter.segment(text)) cells += cellsOf(segment)
  return cells
}

function cellsOf(grapheme: string): number {
  if (grapheme.includes(EMOJI_STYLE)) return 2
  if (HALF_WIDTH.test(grapheme)) return 1
  if (WIDE.test(grapheme)) return 2
  return MARK.test(grapheme) ? 0 : 1
}

/** Returns the string if it fits into `cells`; otherwise its beginning followed by `…`. */
export function fit(text: string, cells: number): string {
  // A string that fits has more than ten characters per cell only if it contains zero-width characters, so the rest of
  // a longer string is not measured.
  const bounded = text.slice(0, cells * 10 + 10)
  if (bounded.length === text.length && widthOf(text) <= cells) return text
  let kept = ''
  let used = 0
  for (const { segment } of segmenter.segment(bounded)) {
    const more = cellsOf(segment)
    if (used + more > cells - 1) break
    kept += segment
    used += more
  }
  return `${kept}…`
}

/** Returns the string, padded with spaces to `cells`. */
export function padEnd(text: string, cells: number): string {
  return text + ' '.repeat(Math.max(0, cells - widthOf(text)))
}

export function padStart(text: string, cells: number): string {
  return ' '.repeat(Math.max(0, cells - widthOf(text))) + text
}
