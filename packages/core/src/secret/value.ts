/**
 * Finds the end of a value in a string. This folder finds secrets in strings:
 *
 * - `name/` decides which names are sensitive; `pair-rules.ts`, `command.ts` and `named-value.ts` find the beginning of
 *   values that have such names.
 * - `shape/` finds secrets without a name: tokens, private keys, passwords in URLs. The token prefixes come from public
 *   collections such as gitleaks (`shape/token-format/source.ts`).
 * - This file finds the end of a value by the rules of shells, URLs, HTTP headers (RFC 6265 for cookies) and JSON.
 * - `masked-text.ts` replaces the values.
 *
 * Only the secret itself is concealed. Text that a shell, a line break or JSON separates from the secret stays visible.
 * Otherwise, a model could hide that text from the policy, the approver and the ledger:
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

/** Rejects a position at which a shell, a template or a nested URL begins a new part: substitutions, `\n`, `%26`. */
const NOT_A_BORDER = String.raw`(?!%(?:26|3[Bb]|0[ADad]|7[Cc]|60)|[$@][({]|#\{|\{\{|\\(?:[nrt"'${BACKQUOTE}\\]|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}))`
const SCHEMES = 'apikey|api-key|basic|bearer|digest|hawk|negotiate|ntlm|oauth|token'

/**
 * Matches a value up to a separator. A comma ends the value only before the next pair. An authentication scheme belongs
 * to its credentials.
 */
const BARE = new RegExp(
  String.raw`(?:(?:${SCHEMES})[ \t]{1,8}(?=[^\s]))?(?:${NOT_A_BORDER}(?:[^\s&;|,"'${BACKQUOTE}<>]|,(?=[^\s&;|,"'${BACKQUOTE}<>\\])(?![\w.-]{1,64}=)))*`,
  'iy',
)
const HEADER = new RegExp(String.raw`(?:${NOT_A_BORDER}[^\r\n"'${BACKQUOTE};&|<>])*`, 'y')
/** Matches cookies and their attributes if each has a valid form: `a=b; c=d`, but not `a=b; reboot now`. */
const COOKIES =
  /[\w!#%*+.^~-]{1,256}=[^\s;,"'`\\<>&|$()]*(?:;[ ]{0,4}(?:[\w!#%*+.^~-]{1,256}=[^\s;,"'`\\<>&|$()]*|(?:httponly|secure|partitioned)(?![\w-])))*/iy
/** Matches a value in braces in an ODBC connection string. The next pair or the end of the text must follow. */
const BRACED = /\{[^\s{}`$][^{}\r\n`$]{0,127}\}(?=$|;(?:$|[A-Za-z][\w ]{0,30}=))/y
/** Matches closing punctuation, which belongs to the text around the value. */
const CLOSING_SIGNS = /[)\]},.|]{1,8}$/
const OPENING_QUOTE = /(\\*)(["'`])/y
/** Matches the contents of a string whose quotes may belong to an enclosing string. */
const UNCERTAIN = new RegExp(String.raw`(?:${NOT_A_BORDER}[^\s;&|<>(){}"'${BACKQUOTE}\\])*`, 'y')
const SUBSTITUTION = /[$@][({]|#\{|\{\{|`/y

/** The maximum length of a value in quotes. A longer value is read like a value without quotes. */
const QUOTED_LENGTH_MAX = 4_096

export function match(sticky: RegExp, text: string, start: number): string {
  sticky.lastIndex = start
  return sticky.exec(text)?.[0] ?? ''
}

/** Reads a value without quotes. The result is empty if a substitution begins at `start`: `$(…)`, `(…)`. */
export function readBare(text: string, start: number): Stretch {
  if (text[start] === '(') return { start, end: start }
  const braced = match(BRACED, text, start)
  if (braced !== '') return { start, end: start + braced.length }
  const value = match(BARE, text, start)
  return { start, end: start + value.replace(CLOSING_SIGNS, '').length }
}

/** Reads a header value up to its end or the first separator. */
export function readHeaderValue(text: string, start: number): Stretch {
  return { start, end: start + match(HEADER, text, start).trimEnd().length }
}

/** Reads the cookies in a header. The result is empty if there are no cookies. */
export function readCookies(text: string, start: number): Stretch {
  return { start, end: start + match(COOKIES, text, start).length }
}

/**
 * Reads the contents of a value in quotes. In JSON within a string, quotes are escaped once per level. The number of
 * backslashes before the opening quote is the level, and the value ends at the next quote on that level.
 *
 * @param around - the quoting before the value
 * @returns the contents, which may be empty; null if the value is not in quotes
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

/** Whether a quote begins a string instead of ending the enclosing string. */
export function isOpening(quote: string, level: number, around: Quoting): boolean {
  if (around === 'none') return level === 0
  if (level > 0) return true
  return around === 'double' ? quote !== '"' : quote !== "'"
}

/** @returns null if the string is not closed on its line, or the enclosing string ends before it */
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
 * Whether a quote after `slashes` backslashes opens or closes a string at a level. The level is the number of
 * backslashes before the opening quote. A quote with fewer backslashes ends the enclosing string. A quote with more
 * backslashes is an escaped quote, unless the additional backslashes are complete escaped backslashes.
 */
export function isQuoteOf(level: number, slashes: number): boolean {
  return slashes < level || (slashes - level) % (2 * (level + 1)) === 0
}
