/**
 * Secrets that are known by the name in front of them, inside a text: `password=…;`, `?api_key=…&`, `"token": "…"`,
 * `--secret …`, `Authorization: …`.
 *
 * The texts are shell commands, URLs, JSON in a string (in a string), log lines, prose. A name with `=`, `=>` or `:=`, a
 * quoted name with `:`, or a `--flag` counts when the name is sensitive; a bare name with `:` is often prose, so there the
 * name has to be beyond doubt, or the value must be in quotes or look like a token. The name and the signs stay, the
 * value goes: up to its closing quote or bracket, or to the end of the text when there is none.
 *
 * Linear: names are found at the edges of runs, and a value that was read is never read again.
 */
import type { KeyRules } from './key.js'
import { REDACTED } from './secret.js'

/** Groups: a flag, or a name and (after perhaps a closing quote or bracket) a sign. `%3D` is `=` in a URL within a URL. */
const PAIR =
  /(?<![\w.$-])(?:(--[A-Za-z][\w-]*)[ \t]{1,8}(?!-)|([\w.$-]+)(\\*["'`]?)\]?[ \t]{0,8}(=>|:=|={1,3}|%3[Dd]|:(?!\/\/))[ \t]{0,8})/g

/** Ends at a separator; a comma ends it only where the next pair begins. A scheme goes with its credentials. */
const BARE_VALUE =
  /(?:(?:apikey|basic|bearer|digest|token)[ \t]{1,8}(?=[^\s]))?(?:(?!%26)[^\s&;,"'`<>\\]|,(?=[^\s&;,"'`<>\\])(?![\w.-]{1,64}=)|\\(?![nrt"'`\\]))*/iy
const REST_OF_LINE = /[^\r\n"'`\\]*/y
/** Closing signs belong to the text around the value. */
const CLOSING_SIGNS = /[)\]},.|]{1,8}$/
const OPENING_QUOTE = /(\\*)(["'`])/y

/** Sensitive in a pair only: a signed URL is as good as a password. */
const SIGNATURE = /^(?:sig|x-(?:amz|goog)-signature)$/i
const AUTHORIZATION_HEADER = /authorization$/i
const COOKIE_HEADER = /cookie$/i

/** How far a value is looked at before it counts as one: a value that is then left alone is read again by the next rule. */
const GLIMPSE_CHARS = 256

/** A value, from its opening quote to its closing one, and what it becomes. */
interface Value {
  readonly end: number
  readonly replacement: string
}

/**
 * Replaces the values of sensitive names in a text.
 *
 * @example
 * redactPairs('mysql --password=hunter2 -u root', rules) // 'mysql --password=[redacted] -u root'
 */
export function redactPairs(text: string, rules: KeyRules): string {
  let redacted = ''
  let done = 0
  const pairs = new RegExp(PAIR)
  for (let pair = pairs.exec(text); pair !== null; pair = pairs.exec(text)) {
    const start = pairs.lastIndex
    const value = readSecret(text, start, pair, rules)
    if (value === null) continue
    redacted += text.slice(done, start) + value.replacement
    done = value.end
    pairs.lastIndex = value.end
  }
  return redacted + text.slice(done)
}

/** The value at `start` when it is secret. */
function readSecret(text: string, start: number, pair: RegExpExecArray, rules: KeyRules): Value | null {
  const [, flag, bareName = '', nameQuote = '', sign = ''] = pair
  const name = flag ?? bareName
  if (!rules.isSensitive(name) && !SIGNATURE.test(name)) return null
  const quotedName = nameQuote !== '' && !nameQuote.endsWith('\\')
  const quoted = readQuoted(text, start)
  if (quoted !== null) return quoted
  if (sign === ':' && quotedName) return readJson(text, start, name, nameQuote, rules)
  if (sign === ':') return readHeader(text, start, name) ?? readAfterColon(text, start, name, rules)
  // `session => { … }` is a function.
  if (sign === '=>' && !quotedName) return null
  if (text[start] === '{') return { end: endOfBrackets(text, start, 0), replacement: REDACTED }
  return readBare(text, start, name, rules)
}

/** The rest of an `Authorization:` line, whatever the scheme; of a `Cookie:` line when there is a cookie on it. */
function readHeader(text: string, start: number, name: string): Value | null {
  if (COOKIE_HEADER.test(name)) {
    if (!match(REST_OF_LINE, text.slice(start, start + GLIMPSE_CHARS), 0).includes('=')) return null
  } else if (!AUTHORIZATION_HEADER.test(name)) return null
  const value = match(REST_OF_LINE, text, start).trimEnd()
  return value === '' ? null : { end: start + value.length, replacement: REDACTED }
}

function readAfterColon(text: string, start: number, name: string, rules: KeyRules): Value | null {
  const glimpse = match(BARE_VALUE, text.slice(start, start + GLIMPSE_CHARS), 0)
  return rules.isUnmistakable(name) || looksLikeToken(glimpse) ? readBare(text, start, name, rules) : null
}

/** What is no string after `"name":`. The replacement is one, so that JSON in a string stays JSON. */
function readJson(text: string, start: number, name: string, nameQuote: string, rules: KeyRules): Value | null {
  const replacement = nameQuote + REDACTED + nameQuote
  if (text.startsWith(REDACTED, start)) return { end: start + REDACTED.length, replacement }
  if (text[start] === '{' || text[start] === '[') {
    return { end: endOfBrackets(text, start, nameQuote.length - 1), replacement }
  }
  const bare = readBare(text, start, name, rules)
  return bare === null ? null : { end: bare.end, replacement }
}

/**
 * A value in quotes. In JSON within a string the quotes are escaped, once per level: the opening quote's `n` backslashes
 * say which level this is, and it ends at the next quote of that level.
 */
function readQuoted(text: string, start: number): Value | null {
  OPENING_QUOTE.lastIndex = start
  const opening = OPENING_QUOTE.exec(text)
  if (opening === null) return null
  const [open, { length: level }, quote] = [opening[0], opening[1] ?? '', opening[2] ?? '']
  const contents = start + open.length
  for (let at = contents, slashes = 0; at < text.length; at++) {
    const char = text[at]
    if (char === quote && isQuoteOf(level, slashes)) {
      const close = at - Math.min(slashes, level)
      return { end: at + 1, replacement: open + (close === contents ? '' : REDACTED) + text.slice(close, at + 1) }
    }
    slashes = char === '\\' ? slashes + 1 : 0
  }
  return { end: text.length, replacement: open + (contents === text.length ? '' : REDACTED) }
}

/**
 * Whether a quote behind so many backslashes opens or closes a string at a level (the backslashes of its opening quote).
 * Fewer end the string around it; more are an escaped quote, unless they are whole escaped backslashes and the rest.
 */
function isQuoteOf(level: number, slashes: number): boolean {
  return slashes < level || (slashes - level) % (2 * (level + 1)) === 0
}

/** Where a JSON object or array, or a connection string's `{…}`, ends: its matching bracket, or the end of the text. */
function endOfBrackets(text: string, start: number, level: number): number {
  let depth = 0
  let quoted = false
  for (let at = start, slashes = 0; at < text.length; at++) {
    const char = text[at]
    if (char === '"' && isQuoteOf(level, slashes)) quoted = !quoted
    slashes = char === '\\' ? slashes + 1 : 0
    if (quoted) continue
    if (char === '{' || char === '[') depth++
    if ((char === '}' || char === ']') && --depth === 0) return at + 1
  }
  return text.length
}

function readBare(text: string, start: number, name: string, rules: KeyRules): Value | null {
  const value = match(BARE_VALUE, text, start)
  const trimmed = value.replace(CLOSING_SIGNS, '')
  // The closing sign of an earlier replacement belongs to it.
  const bare = value.startsWith(REDACTED) && trimmed.length < REDACTED.length ? REDACTED : trimmed
  const isCount = /^\d{1,16}$/.test(bare) && !rules.isSensitive(name, Number(bare))
  return bare === '' || isCount ? null : { end: start + bare.length, replacement: REDACTED }
}

function match(sticky: RegExp, text: string, start: number): string {
  sticky.lastIndex = start
  return sticky.exec(text)?.[0] ?? ''
}

/** Letters and digits, eight or more: `token: abc12345`, but not `session: Monday` or `token: one`. */
function looksLikeToken(value: string): boolean {
  return value.length >= 8 && /\d/.test(value) && /[A-Za-z]/.test(value)
}
