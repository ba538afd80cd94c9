// Text of others, safe to show to a person: on a terminal, in a log line, on a page. A character that moves the cursor, changes colours, hides
// or reorders text, or shows nothing at all, is replaced by its code point; so is a letter of another script inside a word, which looks like a
// letter that it is not. One table for every place that shows text, so that none of them falls behind the others.
import { foreignLetters } from './mixed-script.js'

/**
 * Controls (Cc), format characters (Cf: bidi, zero width, tags), line and paragraph separators, lone surrogates, private use, unassigned code
 * points and noncharacters, everything that Unicode says to ignore in display (variation selectors, Hangul fillers, the grapheme joiner), and
 * what has a category of visible text but no ink: braille blank, null notehead, Khitan filler, Egyptian blanks, joiners of Brahmi and Tifinagh.
 */
const UNSEEN =
  /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800\u2d7f\ufffc\u{1107f}\u{13441}\u{13442}\u{16fe4}\u{1d159}]/u

/** Blanks other than U+0020. */
const BLANKS = /(?! )\p{Zs}/gu
/** Writers of French, German and Japanese put one of these between two visible characters; there, and alone, it stays. */
const USUAL_BLANK = /[\u00a0\u202f\u3000]/

/** No script puts more marks than these on one letter; a higher stack covers the rows above and below. */
const MARKS_MAX = 4
/** A mark without a letter of its own is drawn on a neighbour, which may be a character of ours. */
const STRAY_MARKS = /(?<![\p{L}\p{N}\p{M}\p{So}])\p{M}+/gu
const MARK_STACKS = new RegExp(`(?<=\\p{M}{${MARKS_MAX}})\\p{M}+`, 'gu')

const PRINTABLE_ASCII = /^[\x20-\x7e]*$/
const ALL_UNSEEN = new RegExp(UNSEEN.source, 'gu')
const UNSEEN_IN_LINES = new RegExp(`(?!\\n)${UNSEEN.source}`, 'gu')

/**
 * Shows as `\u{…}`: control, escape, bidi, zero-width and other invisible characters, unusual blanks, lone surrogates, stacked marks, and
 * letters that are of another script than the rest of their word. Everything else is unchanged.
 *
 * @param text - any text, hostile or not
 * @param lengthMax - UTF-16 units of `text` that are shown; a longer text is cut and ends in `…`. A code point takes more room than its character
 * @example printable('a\u001b[31mb') // 'a\\u{1b}[31mb'
 * @example printable('p\u0430ypal.com') // 'p\\u{430}ypal.com'
 */
export function printable(text: string, lengthMax = 4096): string {
  // Not through the middle of a character: half of a pair would be shown as if it had been in the text.
  const cut = text.length > lengthMax ? `${text.slice(0, lengthMax - 1).replace(/[\uD800-\uDBFF]$/, '')}…` : text
  return escapeUnseen(cut, codePoint)
}

/**
 * As `printable`, but with an escape of the caller's and without a limit of length.
 *
 * @param replace - makes the replacement of one character (one code point)
 * @param lines - whether line feeds stay: the text is shown as lines. Default: false
 */
export function escapeUnseen(text: string, replace: (char: string) => string, lines = false): string {
  if (PRINTABLE_ASCII.test(text)) return text
  const each = (run: string): string => Array.from(run, replace).join('')
  const seen = text
    .replace(BLANKS, (blank, at: number) => (USUAL_BLANK.test(blank) && isBetween(text, at) ? blank : replace(blank)))
    .replace(lines ? UNSEEN_IN_LINES : ALL_UNSEEN, replace)
    .replace(MARK_STACKS, each)
    .replace(STRAY_MARKS, each)
  return foreignLetters(seen, replace)
}

/** Whether both neighbours of the blank at `at` are there and show something. */
function isBetween(text: string, at: number): boolean {
  const before = text.slice(Math.max(0, at - 2), at)
  const after = text.slice(at + 1, at + 3)
  return before !== '' && after !== '' && !ENDS_UNSEEN.test(before) && !BEGINS_UNSEEN.test(after)
}

const ENDS_UNSEEN = new RegExp(`(?:${UNSEEN.source}|\\p{Z})$`, 'u')
const BEGINS_UNSEEN = new RegExp(`^(?:${UNSEEN.source}|\\p{Z})`, 'u')

function codePoint(char: string): string {
  return `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`
}
