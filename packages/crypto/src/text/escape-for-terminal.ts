// Makes untrusted text safe to display on a terminal, in a log line or on a page. All code that displays text uses
// these tables.
//
// A character is replaced by its code point if it moves the cursor, changes colours, hides or reorders text, or is
// invisible. The tables follow the Unicode Character Database (UAX #44): general categories,
// Default_Ignorable_Code_Point, and a few invisible characters in visible categories. `mixed-script.ts` also
// replaces letters from a different script within a word (UTS #39), because such letters can imitate the letters of
// the word.
//
//     escapeForTerminal('a\u001b[31mb')      // 'a\\u{1b}[31mb'      an escape sequence that changes colours
//     escapeForTerminal('a\u202eb')          // 'a\\u{202e}b'        an override of the text direction
//     escapeForTerminal('p\u0430ypal.com')   // 'p\\u{430}ypal.com'  a Cyrillic letter in a Latin word
//     escapeForTerminal('naïve 日本語')       // unchanged
//
// The result is for display only. An escape that is already in the input, such as `\u{1b}`, is not changed, so the
// original cannot be restored from the result.
import { foreignLetters } from './mixed-script.js'

/**
 * Control characters (Cc), format characters (Cf: bidi, zero width, tags), line and paragraph separators, lone
 * surrogates, private use, unassigned code points and noncharacters, default-ignorable characters (variation
 * selectors, Hangul fillers, the grapheme joiner), and invisible characters in visible categories: braille blank,
 * null notehead, Khitan filler, Egyptian blanks, and the Brahmi and Tifinagh joiners.
 */
const UNSEEN =
  /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800\u2d7f\ufffc\u{1107f}\u{13441}\u{13442}\u{16fe4}\u{1d159}]/u

/** Spaces other than U+0020. */
const BLANKS = /(?! )\p{Zs}/gu
/**
 * Spaces that are common in French, German and Japanese. A single such space between two visible characters is
 * kept.
 */
const USUAL_BLANK = /[\u00a0\u202f\u3000]/

/** The maximum number of marks on one letter. No script needs more, and a taller stack would cover adjacent rows. */
const MARKS_MAX = 4
/**
 * Matches marks without a base letter, and marks that follow an escape. Such a mark is drawn on a neighbouring
 * character, which may belong to the program's own text.
 */
const STRAY_MARKS = /(?:(?<![\p{L}\p{N}\p{M}\p{So}])|(?<=\\u[0-9a-f]{4}))\p{M}+/gu
const MARK_STACKS = new RegExp(`(?<=\\p{M}{${MARKS_MAX}})\\p{M}+`, 'gu')

const PRINTABLE_ASCII = /^[\x20-\x7e]*$/
const ALL_UNSEEN = new RegExp(UNSEEN.source, 'gu')
const UNSEEN_IN_LINES = new RegExp(`(?!\\n)${UNSEEN.source}`, 'gu')

/**
 * Escapes unsafe characters as `\u{…}`: control, escape, bidi, zero-width and other invisible characters, unusual
 * spaces, lone surrogates, stacked marks, and letters whose script differs from the rest of the word. All other
 * characters are unchanged.
 *
 * @param text - untrusted text
 * @param maxLength - the maximum number of UTF-16 code units of `text` to show. Longer text is truncated and ends
 *   in `…`. The result may be longer, because an escape is longer than the original character.
 * @example escapeForTerminal('a\u001b[31mb') // 'a\\u{1b}[31mb'
 * @example escapeForTerminal('p\u0430ypal.com') // 'p\\u{430}ypal.com'
 */
export function escapeForTerminal(text: string, maxLength = 4096): string {
  // Does not split a surrogate pair: half of a pair would be shown as a lone surrogate that was not in the text.
  const cut = text.length > maxLength ? `${text.slice(0, maxLength - 1).replace(/[\uD800-\uDBFF]$/, '')}…` : text
  return escapeUnseen(cut, codePoint)
}

/**
 * Like `escapeForTerminal`, but with a custom escape and without a length limit. Escaping the result again does not
 * change it.
 *
 * @param replace - returns the replacement for one code point, in ASCII
 * @param lines - whether to keep line feeds, for multi-line text. Default: false
 */
export function escapeUnseen(text: string, replace: (char: string) => string, lines = false): string {
  let shown = text
  // One escape can make another one necessary: an escaped letter leaves its marks without a base. The loop ends,
  // because each round that changes the text leaves fewer characters that are not ASCII.
  while (!PRINTABLE_ASCII.test(shown)) {
    const again = escapeOnce(shown, replace, lines)
    if (again === shown) break
    shown = again
  }
  return shown
}

function escapeOnce(text: string, replace: (char: string) => string, lines: boolean): string {
  const each = (run: string): string => Array.from(run, replace).join('')
  const seen = text
    .replace(BLANKS, (blank, at: number) => (USUAL_BLANK.test(blank) && isBetween(text, at) ? blank : replace(blank)))
    .replace(lines ? UNSEEN_IN_LINES : ALL_UNSEEN, replace)
    .replace(MARK_STACKS, each)
    .replace(STRAY_MARKS, each)
  return foreignLetters(seen, replace)
}

/** Reports whether the space at `at` has a visible character on both sides. */
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
