/**
 * Secrets that are known by their shape, wherever they stand in a text.
 *
 * A tool's arguments come from a model, and a regular expression that takes quadratic time on the wrong text is a way to
 * stop the boundary. So every rule here is linear: it starts at a literal or at the edge of a run (lookbehind), repeats
 * one class of characters that excludes what may start the next match, and where something must follow, the run that
 * comes before it is bounded or cannot be entered twice.
 *
 * The rules err towards redaction, but not at the cost of prose: `sk-learn`, `task-force`, `npm_config_cache` and
 * `the bearer of news` stay. What has no shape (a bare password, the 40 characters of an AWS secret key) is found by its
 * name alone, here and in `key.ts`.
 */

import { isUtf8 } from 'node:buffer'
import { type ConcealmentKind, MaskedText, type Span } from './masked-text.js'
import { findPrivateKeys } from './pem.js'

export interface SecretRule {
  readonly name: ConcealmentKind
  /** Spans in order, not overlapping. */
  find(text: string): readonly Span[]
}

/** `scheme://` and the authority up to its last `@`. An authority holds no slash, so it cannot hold the next `://`. */
const AUTHORITY = /(?<![A-Za-z0-9+.-])([A-Za-z][A-Za-z0-9+.-]{0,31}:\/\/)([^\s/?#"'<>`\\]*)@/g
/** A password with an unescaped slash: what looks like a port is no number. Bounded, because an `@` must follow. */
const SLASHED_PASSWORD =
  /(?<![A-Za-z0-9+.-])([A-Za-z][A-Za-z0-9+.-]{0,31}:\/\/[^\s/?#@:"'<>`\\[]{0,256}:)(?!\d{0,5}(?:[/?#\s]|$))[^\s@"'<>`]{1,256}@/g

const AUTHORIZATION = /(?<![A-Za-z0-9])(bearer|basic)([ \t]+)([A-Za-z0-9._~+/=-]+)/gi
const PLAIN_WORD = /^(?:[a-z]+|[A-Z][a-z]*|[A-Z]+)(?:-[a-z]+)*$/
const PLAIN_WORD_LENGTH_MAX = 20

/** A run of characters that JWTs are made of; `redactJwts` looks inside, so that each run is read once. */
const DOTTED_RUN = /(?<![A-Za-z0-9_-])[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+/g
const JWT_START = /(?<![A-Za-z0-9])eyJ[A-Za-z0-9_-]{2}/

/** Tokens that their issuer's prefix gives away. The prefixes are case-sensitive. */
const PREFIXED = new RegExp(
  [
    // OpenAI, Anthropic and others. `sk-learn` and `sk-image` are libraries.
    /(?<![A-Za-z0-9])sk-(?!(?:learn|image)(?![A-Za-z]))[A-Za-z0-9_-]{3,}/,
    // Stripe.
    /(?<![A-Za-z0-9])[sr]k_(?:live|test)_[A-Za-z0-9]+/,
    /(?<![A-Za-z0-9])whsec_[A-Za-z0-9+/=]{6,}/,
    // GitHub. A full-length one also inside a longer word.
    /(?<![A-Za-z0-9])gh[opusr]_[A-Za-z0-9_]{3,}/,
    /gh[opusr]_[A-Za-z0-9]{36}[A-Za-z0-9_]*/,
    /github_pat_[A-Za-z0-9_]{3,}/,
    // Slack.
    /(?<![A-Za-z0-9])(?:xox[a-z]|xapp)-[A-Za-z0-9-]{3,}/,
    // GitLab.
    /(?<![A-Za-z0-9])gl(?:pat|dt|rt|ptt|cbt|ft|imt|agent|oas)-[A-Za-z0-9_-]{3,}/,
    // npm. `npm_config_cache` and its like are settings.
    /(?<![A-Za-z0-9])npm_(?:[A-Za-z0-9]{30,}|(?=[a-z]{0,30}[A-Z0-9])[A-Za-z0-9]{4,29}(?![A-Za-z0-9_]))/,
    // Google: API keys and OAuth access tokens.
    /(?<![A-Za-z0-9])AIza[A-Za-z0-9_-]{6,}/,
    /(?<![A-Za-z0-9])ya29\.[A-Za-z0-9_-]{10,}/,
    // AWS key ids. ASIA is a word as well: only with a digit, or at full length.
    /(?<![A-Za-z0-9])AKIA[A-Z0-9]{6,}/,
    /(?<![A-Za-z0-9])ASIA(?:[A-Z0-9]{16,}|(?=[A-Z]{0,16}[0-9])[A-Z0-9]{6,15})/,
    // Hugging Face, PyPI, SendGrid, Groq, DigitalOcean, Shopify, Docker, age.
    /(?<![A-Za-z0-9])hf_[A-Za-z0-9]{20,}/,
    /(?<![A-Za-z0-9])pypi-[A-Za-z0-9_-]{20,}/,
    /(?<![A-Za-z0-9])SG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,}/,
    /(?<![A-Za-z0-9])gsk_[A-Za-z0-9]{20,}/,
    /(?<![A-Za-z0-9])do[opr]_v1_[A-Za-z0-9]{10,}/,
    /(?<![A-Za-z0-9])shp(?:at|ca|pa|ss)_[A-Za-z0-9]{10,}/,
    /(?<![A-Za-z0-9])dckr_pat_[A-Za-z0-9_-]{10,}/,
    /AGE-SECRET-KEY-1[A-Z0-9]{6,}/,
  ]
    .map((rule) => rule.source)
    .join('|'),
  'g',
)

/**
 * What a text must hold for any rule to find something, here and in `pair.ts`: the fixed parts of the patterns. Nearly no text does, so nearly none
 * is searched rule by rule.
 */
const MAY_HOLD_SECRET =
  /[=:]|%3D|----|--[A-Za-z]|bearer|basic|eyJ|[sr]k[-_]|whsec_|gh[opusr]_|github_pat_|xox|xapp|gl[a-z]{2,5}-|npm_|AIza|ya29|AKIA|ASIA|hf_|pypi-|SG\.|gsk_|do[opr]_|shp[a-z]|dckr_|AGE-/i

/** Whether the rules have to be asked. Rules that a caller added are not meant. */
export function mayHoldSecret(text: string): boolean {
  return MAY_HOLD_SECRET.test(text)
}

/** In this order: a private key first, because other rules would cut it up. */
export const SECRET_RULES: readonly SecretRule[] = [
  { name: 'private key', find: findPrivateKeys },
  { name: 'url password', find: findUrlPasswords },
  { name: 'url password', find: findSlashedPasswords },
  { name: 'authorization', find: findAuthorization },
  { name: 'jwt', find: findJwts },
  { name: 'token', find: findTokens },
]

/**
 * Replaces every secret of a known shape with `[redacted]`, and only that part of the text.
 *
 * @example
 * redactSecrets('postgres://app:hunter2@db/prod') // 'postgres://app:[redacted]@db/prod'
 */
export function redactSecrets(text: string): string {
  const masked = new MaskedText(text)
  for (const rule of SECRET_RULES) masked.conceal(rule.find(masked.text))
  return masked.toString()
}

function findUrlPasswords(text: string): readonly Span[] {
  const spans: Span[] = []
  for (const { 0: whole, 1: scheme = '', 2: userinfo = '', index } of text.matchAll(AUTHORITY)) {
    const colon = userinfo.indexOf(':')
    if (colon < 0 || colon === userinfo.length - 1) continue
    const start = index + scheme.length + colon + 1
    const end = start + lengthOfPassword(text.slice(start, index + whole.length - 1))
    if (end > start) spans.push({ start, end, kind: 'url password' })
  }
  return spans
}

function findSlashedPasswords(text: string): readonly Span[] {
  const spans: Span[] = []
  for (const { 0: whole, 1: before = '', index } of text.matchAll(SLASHED_PASSWORD)) {
    const start = index + before.length
    const end = start + lengthOfPassword(text.slice(start, index + whole.length - 1))
    if (end > start) spans.push({ start, end, kind: 'url password' })
  }
  return spans
}

/** One separator can belong to a password; two, or a substitution, are a command: `a://b:x;reboot;@c`. */
function lengthOfPassword(password: string): number {
  const substitution = password.search(/[$@][({]|[#{]\{|`/)
  const plain = substitution < 0 ? password : password.slice(0, substitution)
  const separators = [...plain.matchAll(/[;&|]/g)]
  return separators.length < 2 ? plain.length : (separators[0]?.index ?? 0)
}

function findAuthorization(text: string): readonly Span[] {
  const spans: Span[] = []
  const alone = text.trim()
  for (const { 0: whole, 1: scheme = '', 2: space = '', 3: credentials = '', index } of text.matchAll(AUTHORIZATION)) {
    const isHeader = whole === alone && !whole.endsWith('.')
    const isSecret =
      scheme.toLowerCase() === 'basic'
        ? isBasic(credentials)
        : isBearer(credentials.replace(/[.-]{1,8}$/, ''), isHeader)
    const start = index + scheme.length + space.length
    if (isSecret) spans.push({ start, end: index + whole.length, kind: 'authorization' })
  }
  return spans
}

/** In running text a plain word after `bearer` is prose; as a whole value, `Bearer opensesame` is a header. */
function isBearer(credentials: string, isHeader: boolean): boolean {
  if (credentials === '') return false
  if (isHeader) return !/^(?:tokens?|auth|authentication|authorization)$/i.test(credentials)
  return credentials.length > PLAIN_WORD_LENGTH_MAX || !PLAIN_WORD.test(credentials)
}

/** Base64 of `user:password`, or something too long to be a word: `Basic Economy` is a fare. */
function isBasic(credentials: string): boolean {
  if (credentials.length > PLAIN_WORD_LENGTH_MAX) return true
  const decoded = Buffer.from(credentials, 'base64')
  return isUtf8(decoded) && decoded.includes(':')
}

function findJwts(text: string): readonly Span[] {
  const spans: Span[] = []
  for (const { 0: run, index } of text.matchAll(DOTTED_RUN)) {
    const start = run.search(JWT_START)
    if (start >= 0 && run.includes('.', start)) {
      spans.push({ start: index + start, end: index + run.length, kind: 'jwt' })
    }
  }
  return spans
}

function findTokens(text: string): readonly Span[] {
  return Array.from(text.matchAll(PREFIXED), ({ 0: token, index }) => ({
    start: index,
    end: index + token.length,
    kind: 'token',
  }))
}
