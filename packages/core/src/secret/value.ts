/**
 * Where a value in a text ends. A secret is concealed alone: what a shell, a line or JSON puts after it is never part of
 * it, because a model could hide there what a policy, an approver and the ledger have to see.
 */
import type { Quoting } from './quoting.js'

/** Positions in UTF-16 units, `end` exclusive. */
export interface Stretch {
  readonly start: number
  readonly end: number
}

const BACKQUOTE = '`'

/** Where a shell, a template or a nested URL begins something else: substitutions, `\n`, `%26`. */
const NOT_A_BORDER = String.raw`(?!%(?:26|3[Bb]|0[ADad]|7[Cc]|60)|[$@][({]|#\{|\{\{|\\(?:[nrt"'${BACKQUOTE}\\]|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}))`
const SCHEMES = 'apikey|api-key|basic|bearer|digest|hawk|negotiate|ntlm|oauth|token'

/** Ends at a separator; a comma ends it only where the next pair begins. A scheme goes with its credentials. */
const BARE = new RegExp(
  String.raw`(?:(?:${SCHEMES})[ \t]{1,8}(?=[^\s]))?(?:${NOT_A_BORDER}(?:[^\s&;|,"'${BACKQUOTE}<>]|,(?=[^\s&;|,"'${BACKQUOTE}<>\\])(?![\w.-]{1,64}=)))*`,
  'iy',
)
const HEADER = new RegExp(String.raw`(?:${NOT_A_BORDER}[^\r\n"'${BACKQUOTE};&|<>])*`, 'y')
/** Cookies and their attributes, as long as each has the form of one: `a=b; c=d`, but not `a=b; reboot now`. */
const COOKIES =
  /[\w!#%*+.^~-]{1,256}=[^\s;,"'`\\<>&|$()]*(?:;[ ]{0,4}(?:[\w!#%*+.^~-]{1,256}=[^\s;,"'`\\<>&|$()]*|(?:httponly|secure|partitioned)(?![\w-])))*/iy
/** The value of an ODBC connection string. It is followed by the next pair or by nothing. */
const BRACED = /\{[^\s{}`$][^{}\r\n`$]{0,127}\}(?=$|;(?:$|[A-Za-z][\w ]{0,30}=))/y
/** Closing signs belong to the text around the value. */
const CLOSING_SIGNS = /[)\]},.|]{1,8}$/
const OPENING_QUOTE = /(\\*)(["'`])/y
/** What may stand in a string that other quotes around it leave uncertain. */
const UNCERTAIN = new RegExp(String.raw`(?:${NOT_A_BORDER}[^\s;&|<>(){}"'${BACKQUOTE}\\])*`, 'y')
const SUBSTITUTION = /[$@][({]|#\{|\{\{|`/y

/** No password in quotes is longer; what is longer is read as if it had no quotes. */
const QUOTED_LENGTH_MAX = 4_096

export function match(sticky: RegExp, text: string, start: number): string {
  sticky.lastIndex = start
  return sticky.exec(text)?.[0] ?? ''
}

/** A value without quotes; empty where a substitution begins instead: `$(…)`, `(…)`. */
export function readBare(text: string, start: number): Stretch {
  if (text[start] === '(') return { start, end: start }
  const braced = match(BRACED, text, start)
  if (braced !== '') return { start, end: start + braced.length }
  const value = match(BARE, text, start)
  return { start, end: start + value.replace(CLOSING_SIGNS, '').length }
}

/** The value of a header, to its end or to the first separator. */
export function readHeaderValue(text: string, start: number): Stretch {
  return { start, end: start + match(HEADER, text, start).trimEnd().length }
}

/** The cookies of a header; empty when what follows is none. */
export function readCookies(text: string, start: number): Stretch {
  return { start, end: start + match(COOKIES, text, start).length }
}

/**
 * The contents of a value in quotes. In JSON within a string the quotes are escaped, once per level: the backslashes of
 * the opening quote say which level this is, and it ends at the next quote of that level.
 *
 * @param around the quoting before the value
 * @returns the contents, perhaps empty; null when the value has no quotes
 */
export function readQuoted(text: string, start: number, around: Quoting): Stretch | null {
  OPENING_QUOTE.lastIndex = start
  const [open, { length: level } = '', quote] = OPENING_QUOTE.exec(text) ?? []
  if (open === undefined || quote === undefined) return null
  const triple = quote.repeat(3)
  const isTriple = level === 0 && text.startsWith(triple, start)
  const contents = start + (isTriple ? triple.length : open.length)
  // In backquotes is a command, not a value.
  if (quote === '`') return { start: contents, end: contents }
  const end = isOpening(quote, level, around) ? endOfQuoted(text, contents, quote, level, around) : null
  return { start: contents, end: end ?? contents + match(UNCERTAIN, text, contents).length }
}

/** Whether a quote begins a string, and does not end the one around it. */
export function isOpening(quote: string, level: number, around: Quoting): boolean {
  if (around === 'none') return level === 0
  if (level > 0) return true
  return around === 'double' ? quote !== '"' : quote !== "'"
}

/** @returns null when the string is not closed on its line, or the one around it ends first */
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
 * Whether a quote after this many backslashes opens or closes a string at a level (the backslashes of its opening
 * quote). Fewer end the string around it; more are an escaped quote, unless they are whole escaped backslashes and the rest.
 */
export function isQuoteOf(level: number, slashes: number): boolean {
  return slashes < level || (slashes - level) % (2 * (level + 1)) === 0
}
