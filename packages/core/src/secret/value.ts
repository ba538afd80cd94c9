/**
 * Finds the end of a value in a string. This folder finds secrets in strings:
 *
 * - `name/` decides which names are sensitive; `pair-rules.ts`, `command.ts` and `named-value.ts` find the
 *   beginning of values that have such a name.
 * - `shape/` finds secrets without a name: tokens, private keys, passwords in URLs. The prefixes of tokens come
 *   from public collections such as gitleaks (`shape/token-format/source.ts`).
 * - This file finds where a value ends, by the rules of shells, URLs, HTTP headers (RFC 6265 for cookies) and JSON.
 * - `masked-text.ts` replaces the values.
 *
 * Only the secret itself is concealed. The text that a shell, a line break or JSON separates from it stays visible,
 * because a model could otherwise hide text there from the policy, the approver and the ledger:
 *
 *     curl -d password=hunter2;reboot      →   curl -d password=[redacted];reboot
 *     {"token": "abc", "path": "/etc"}     →   {"token": "[redacted]", "path": "/etc"}
 */
import type { Quoting } from './quoting.js'

/** Positions in UTF-16 code units; `end` is exclusive. */
export interface Stretch {
  readonly start: number
  readonly end: number
}

const BACKQUOTE = '`'

/** A position at which a shell, a template or a nested URL begins a new part: substitutions, `\n`, `%26`. */
const NOT_A_BORDER = String.raw`(?!%(?:26|3[Bb]|0[ADad]|7[Cc]|60)|[$@][({]|#\{|\{\{|\\(?:[nrt"'${BACKQUOTE}\\]|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}))`
const SCHEMES = 'apikey|api-key|basic|bearer|digest|hawk|negotiate|ntlm|oauth|token'

/** Ends at a separator; a comma ends it only before the next pair. A scheme belongs to its credentials. */
const BARE = new RegExp(
  String.raw`(?:(?:${SCHEMES})[ \t]{1,8}(?=[^\s]))?(?:${NOT_A_BORDER}(?:[^\s&;|,"'${BACKQUOTE}<>]|,(?=[^\s&;|,"'${BACKQUOTE}<>\\])(?![\w.-]{1,64}=)))*`,
  'iy',
)
const HEADER = new RegExp(String.raw`(?:${NOT_A_BORDER}[^\r\n"'${BACKQUOTE};&|<>])*`, 'y')
/** Cookies and their attributes, as long as each has a valid form: `a=b; c=d`, but not `a=b; reboot now`. */
const COOKIES =
  /[\w!#%*+.^~-]{1,256}=[^\s;,"'`\\<>&|$()]*(?:;[ ]{0,4}(?:[\w!#%*+.^~-]{1,256}=[^\s;,"'`\\<>&|$()]*|(?:httponly|secure|partitioned)(?![\w-])))*/iy
/** The value of an ODBC connection string. The next pair or the end of the text must follow. */
const BRACED = /\{[^\s{}`$][^{}\r\n`$]{0,127}\}(?=$|;(?:$|[A-Za-z][\w ]{0,30}=))/y
/** Closing punctuation belongs to the text around the value. */
const CLOSING_SIGNS = /[)\]},.|]{1,8}$/
const OPENING_QUOTE = /(\\*)(["'`])/y
/** The characters of a string whose quotes may belong to a string around it. */
const UNCERTAIN = new RegExp(String.raw`(?:${NOT_A_BORDER}[^\s;&|<>(){}"'${BACKQUOTE}\\])*`, 'y')
const SUBSTITUTION = /[$@][({]|#\{|\{\{|`/y

/** The maximum length of a password in quotes; a longer value is read as if it had no quotes. */
const QUOTED_LENGTH_MAX = 4_096

export function match(sticky: RegExp, text: string, start: number): string {
  sticky.lastIndex = start
  return sticky.exec(text)?.[0] ?? ''
}

/** Reads a value without quotes. It is empty when a substitution begins instead: `$(…)`, `(…)`. */
export function readBare(text: string, start: number): Stretch {
  if (text[start] === '(') return { start, end: start }
  const braced = match(BRACED, text, start)
  if (braced !== '') return { start, end: start + braced.length }
  const value = match(BARE, text, start)
  return { start, end: start + value.replace(CLOSING_SIGNS, '').length }
}

/** Reads the value of a header up to its end or the first separator. */
export function readHeaderValue(text: string, start: number): Stretch {
  return { start, end: start + match(HEADER, text, start).trimEnd().length }
}

/** Reads the cookies of a header. The result is empty when there are none. */
export function readCookies(text: string, start: number): Stretch {
  return { start, end: start + match(COOKIES, text, start).length }
}

/**
 * Reads the contents of a value in quotes. In JSON within a string, quotes are escaped once per level: the number
 * of backslashes before the opening quote is the level, and the value ends at the next quote of that level.
 *
 * @param around - the quoting before the value
 * @returns the contents, which may be empty; null when the value has no quotes
 */
export function readQuoted(text: string, start: number, around: Quoting): Stretch | null {
  OPENING_QUOTE.lastIndex = start
  const [open, { length: level } = '', quote] = OPENING_QUOTE.exec(text) ?? []
  if (open === undefined || quote === undefined) return null
  const triple = quote.repeat(3)
  const isTriple = level === 0 && text.startsWith(triple, start)
  const contents = start + (isTriple ? triple.length : open.length)
  // Text in backquotes is a command, not a value.
  if (quote === '`') return { start: contents, end: contents }
  const end = isOpening(quote, level, around) ? endOfQuoted(text, contents, quote, level, around) : null
  return { start: contents, end: end ?? contents + match(UNCERTAIN, text, contents).length }
}

/** Whether a quote begins a string, instead of ending the one around it. */
export function isOpening(quote: string, level: number, around: Quoting): boolean {
  if (around === 'none') return level === 0
  if (level > 0) return true
  return around === 'double' ? quote !== '"' : quote !== "'"
}

/** @returns null when the string is not closed on its line, or the string around it ends first */
export function endOfQuoted(
  text: string,
  contents: number,
  quote: string,
  level: number,
  around: Quoting,
): number | null {
  const literal = quote === "'" && around === 'none'
  const last = Math.min(text.length, contents + QUOTED_LENGTH_MAX)
  for (let at = contents, slashes = 0; at < last; at++) {
    const char = text[at]
    if (char === quote && isQuoteOf(level, slashes)) return at - Math.min(slashes, level)
    if (char === '\n' || char === '\r') return null
    if (slashes === 0 && (around === 'double' ? char === '"' : around === 'single' && char === "'")) return null
    if (!literal && '$@#{`'.includes(char ?? ' ') && match(SUBSTITUTION, text, at) !== '') return at
    slashes = char === '\\' ? slashes + 1 : 0
  }
  return null
}

/**
 * Whether a quote after `slashes` backslashes opens or closes a string at a level (the number of backslashes of its
 * opening quote). With fewer backslashes it ends the string around it; with more it is an escaped quote, unless the
 * additional ones are complete escaped backslashes.
 */
export function isQuoteOf(level: number, slashes: number): boolean {
  return slashes < level || (slashes - level) % (2 * (level + 1)) === 0
}
