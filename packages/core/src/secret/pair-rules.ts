/**
 * Finds secrets that follow their name in a string: `password=…;`, `?api_key=…&`, `"token": "…"`, `--secret …`,
 * `Authorization: …`.
 *
 * The strings are shell commands, URLs, JSON (possibly nested in strings), log lines and prose. A name before `=`, `=>`
 * or `:=`, a quoted name before `:`, or a `--flag` marks a secret if the name is sensitive. An unquoted name before `:`
 * is often prose. In that case, the name must be unambiguous, or the value must be in quotes or look like a token. Only
 * the value is concealed: the name, the sign and the text after the value stay visible (`value.ts`).
 *
 * Matching takes linear time: names are found at the edges of runs, and a value is read only once.
 */
import { readLeaves } from './json-leaves.js'
import { MaskedText, type Span } from './masked-text.js'
import type { KeyRules } from './name/name-rules.js'
import { type Quoting, QuotingReader } from './quoting.js'
import { readBare, readCookies, readHeaderValue, readQuoted, type Stretch } from './value.js'

/** Captures a flag; or a name, an optional closing quote, and a sign. `%3D` is `=` in a URL within a URL. */
const PAIR =
  /(?<![\p{L}\p{M}\p{N}_.$-])(?:(--[A-Za-z][\w-]*)[ \t]{1,8}(?!-)|([\p{L}\p{M}\p{N}_.$-]+)(\\*["'`]?)\]?[ \t]{0,32}(=>|:=|={1,3}|%3[Dd]|:(?!\/\/))[ \t]{0,32})/gu

/** Matches names that are sensitive only in a pair. The signature in a signed URL grants access like a password. */
const SIGNATURE = /^(?:sig|signature|hmac|x-(?:amz|goog)-signature)$/i
/** Matches the name `key` in a URL query: `?key=…`. */
const QUERY_KEY = /^key$/i
const AUTHORIZATION_HEADER = /authorization$/i
const COOKIE_HEADER = /cookie$/i
const NO_SECRET = /^(?:true|false|null|undefined|none|nil)$/i

/**
 * The number of code units that decide whether a value is secret. The limit bounds the work, because the next rule
 * reads a value again if the value is not secret.
 */
const GLIMPSE_LENGTH = 256

/**
 * Finds the values of sensitive names in a text.
 *
 * @returns the spans in order, without overlaps
 */
export function findPairs(text: string, rules: KeyRules): readonly Span[] {
  const spans: Span[] = []
  const quoting = new QuotingReader(text)
  const pairs = new RegExp(PAIR)
  for (let pair = pairs.exec(text); pair !== null; pair = pairs.exec(text)) {
    const start = pairs.lastIndex
    const [, flag, bareName = ''] = pair
    const name = flag ?? bareName
    const inQuery = QUERY_KEY.test(name) && '?&'.includes(text[pair.index - 1] ?? ' ')
    if (!inQuery && !rules.isSensitive(name) && !SIGNATURE.test(name)) continue
    const { found, end } = readSecret(text, start, pair, quoting.at(start), rules)
    const declared = rules.isDeclared(name)
    for (const stretch of found) spans.push({ ...stretch, kind: 'name', declared })
    pairs.lastIndex = Math.max(start, end)
  }
  return spans
}

/** @internal @example redactPairs('mysql --password=pw -u root', rules) // 'mysql --password=[redacted] -u root' */
export function redactPairs(text: string, rules: KeyRules): string {
  const masked = new MaskedText(text)
  masked.conceal(findPairs(masked.text, rules))
  return masked.toString()
}

type Found = Stretch & { readonly quote?: string }

/** The secret parts of a value, and the position at which reading ended. */
interface Reading {
  readonly found: readonly Found[]
  readonly end: number
}

/** Reads the secret parts of the value at `start`. */
function readSecret(text: string, start: number, pair: RegExpExecArray, around: Quoting, rules: KeyRules): Reading {
  if (pair[4] === ':' && isQuotedName(pair[3]) && (text[start] === '{' || text[start] === '[')) {
    return readStructure(text, start, pair[3] ?? '', around)
  }
  const found = readSimple(text, start, pair, around, rules)
  return { found, end: found.at(-1)?.end ?? start }
}

const isQuotedName = (nameQuote = ''): boolean => nameQuote !== '' && !nameQuote.endsWith('\\')

function readSimple(
  text: string,
  start: number,
  pair: RegExpExecArray,
  around: Quoting,
  rules: KeyRules,
): readonly Found[] {
  const [whole, flag, bareName = '', nameQuote = '', sign = ''] = pair
  const name = flag ?? bareName
  const quotedName = isQuotedName(nameQuote)
  const quoted = readQuoted(text, start, around)
  if (quoted !== null) return isSecret(text, quoted, name, rules) ? some(quoted) : []
  if (sign === ':' && quotedName)
    return bare(text, start, name, rules).map((stretch) => ({ ...stretch, quote: nameQuote }))
  if (sign === ':') {
    const header = readHeader(text, start, name, whole.endsWith(':'))
    return header.length > 0 ? header : readAfterColon(text, start, name, rules)
  }
  // `session => { … }` is a function, not a pair.
  if (sign === '=>' && !quotedName) return []
  return bare(text, start, name, rules)
}

const some = (stretch: Stretch): readonly Stretch[] => (stretch.end > stretch.start ? [stretch] : [])

/** Reads the value of an `Authorization:` header with any scheme, or of a `Cookie:` header that contains a cookie. */
function readHeader(text: string, start: number, name: string, inOneWord: boolean): readonly Stretch[] {
  if (COOKIE_HEADER.test(name)) return some(readCookies(text, start))
  if (!AUTHORIZATION_HEADER.test(name)) return []
  // In a shell, the header in `-H Authorization:abc https://x` is one word.
  return some(inOneWord ? readBare(text, start) : readHeaderValue(text, start))
}

function readAfterColon(text: string, start: number, name: string, rules: KeyRules): readonly Stretch[] {
  const glimpse = readBare(text.slice(start, start + GLIMPSE_LENGTH), 0)
  const isValue = rules.isUnmistakable(name) || looksLikeToken(text.slice(start, start + glimpse.end))
  return isValue ? bare(text, start, name, rules) : []
}

/**
 * Reads an object or a list after `"name":`. A number is replaced with a string, so that JSON in a string stays valid.
 */
function readStructure(text: string, start: number, nameQuote: string, around: Quoting): Reading {
  const { leaves, end } = readLeaves(text, start, around)
  const found = leaves.map(({ bare: isBare, ...leaf }) => (isBare ? { ...leaf, quote: nameQuote } : leaf))
  return { found: found.filter((leaf) => leaf.end > leaf.start), end }
}

function bare(text: string, start: number, name: string, rules: KeyRules): readonly Stretch[] {
  const stretch = readBare(text, start)
  return isSecret(text, stretch, name, rules) ? some(stretch) : []
}

/** Whether a value is secret under a name. The values in `session=5`, `auth=oidc` and `token === undefined` are not. */
function isSecret(text: string, { start, end }: Stretch, name: string, rules: KeyRules): boolean {
  const value = text.slice(start, Math.min(end, start + GLIMPSE_LENGTH))
  if (NO_SECRET.test(value)) return false
  if (QUERY_KEY.test(name)) return looksLikeKey(value)
  return SIGNATURE.test(name) || rules.isSensitive(name, /^\d{1,16}$/.test(value) ? Number(value) : value)
}

const looksLikeKey = (value: string): boolean =>
  value.length >= 16 || (value.length >= 6 && /\d/.test(value) && /[A-Za-z]/.test(value))

/**
 * Whether a value has at least eight characters and contains both letters and digits, as in `token: abc12345` but not
 * in `session: Monday`.
 */
function looksLikeToken(value: string): boolean {
  return value.length >= 8 && /\d/.test(value) && /[A-Za-z]/.test(value)
}
