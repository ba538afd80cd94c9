/**
 * Finds secrets by their shape, anywhere in a string.
 *
 * A tool's arguments come from a model, and a regular expression with quadratic time would let a model block the
 * boundary. Therefore, every rule here takes linear time. A rule starts at a literal or at the edge of a run
 * (lookbehind) and repeats one character class that excludes the start of the next match. If text must follow, the
 * preceding run is bounded or cannot be entered twice.
 *
 * In doubt, the rules redact, but they leave prose visible: `sk-learn`, `task-force`, `npm_config_cache` and `the
 * bearer of news` are not concealed. A secret without a distinctive shape, such as a plain password or the 40
 * characters of an AWS secret key, is found only by its name, here and in `name-rules.ts`.
 */

import { isUtf8 } from 'node:buffer'
import { type ConcealmentKind, MaskedText, type Span } from '../masked-text.js'
import { createKeyRules, type KeyRules } from '../name/name-rules.js'
import { findJwts } from './jwt.js'
import { findPrivateKeys } from './pem.js'
import { findAwsSecrets, findShapes } from './shape.js'
import { findTokens, TOKEN_PREFIXES } from './token.js'
import { findSlashedPasswords, findUrlPasswords, findWebhooks } from './url.js'

export interface SecretRule {
  readonly name: ConcealmentKind
  /** @returns the spans in order, without overlaps */
  find(text: string, rules: KeyRules): readonly Span[]
}

const AUTHORIZATION = /(?<![A-Za-z0-9])(bearer|basic)([ \t]+)([A-Za-z0-9._~+/=-]+)/gi
const PLAIN_WORD = /^(?:[a-z]+|[A-Z][a-z]*|[A-Z]+)(?:-[a-z]+)*$/
const PLAIN_WORD_LENGTH_MAX = 20

/**
 * Matches every string in which the rules here and in `pair-rules.ts` can find a secret: the alternatives are the fixed
 * parts of their patterns. Most strings do not match, so the rules rarely run.
 */
const MAY_HOLD_SECRET =
  /[=:\uff1d\uff1a|<]|%3D|\\u00|\\x|----| -[A-Za-z]|--[A-Za-z]|bearer|basic|eyJ|passw|secret|passphrase|identified|\b(?:configure|config|env|arg|setx|setenv|set|put|add|export|net)[ \t]|atlasv1|Q~|-us\d|_mmk|JQQJ99|AzSe|AzCa|ACDb|AzFu|ASt|AMC|ACD|APIM|AIoT|ABa|[A-Za-z0-9+/]{24}|\/hooks\/|[MNO][\w-]{23,27}\./i
const MAY_HOLD_TOKEN = new RegExp(TOKEN_PREFIXES)

/** Whether the built-in rules must run. The result does not apply to rules that the caller added. */
export function mayHoldSecret(text: string): boolean {
  return MAY_HOLD_SECRET.test(text) || MAY_HOLD_TOKEN.test(text)
}

/**
 * The rules in the order in which they run. Private keys come first, because other rules would match parts of a key.
 */
export const SECRET_RULES: readonly SecretRule[] = [
  { name: 'private key', find: findPrivateKeys },
  { name: 'webhook', find: findWebhooks },
  { name: 'url password', find: findUrlPasswords },
  { name: 'url password', find: findSlashedPasswords },
  { name: 'authorization', find: findAuthorization },
  { name: 'jwt', find: findJwts },
  { name: 'token', find: findAwsSecrets },
  { name: 'token', find: (text) => findTokens(text) },
  { name: 'token', find: findShapes },
]

const BUILT_IN = createKeyRules()

/**
 * Replaces every secret of a known shape with `[redacted]`, and only that part of the text.
 *
 * @example
 * redactSecrets('postgres://app:hunter2@db/prod') // 'postgres://app:[redacted]@db/prod'
 */
export function redactSecrets(text: string): string {
  const masked = new MaskedText(text)
  for (const rule of SECRET_RULES) masked.conceal(rule.find(masked.text, BUILT_IN))
  return masked.toString()
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

/** In running text, a plain word after `bearer` is prose. If `Bearer opensesame` is the whole value, it is a header. */
function isBearer(credentials: string, isHeader: boolean): boolean {
  if (credentials === '') return false
  if (isHeader) return !/^(?:tokens?|auth|authentication|authorization)$/i.test(credentials)
  return credentials.length > PLAIN_WORD_LENGTH_MAX || !PLAIN_WORD.test(credentials)
}

/** The value must be the base64 of `user:password`, or too long for a word: `Basic Economy` is a fare. */
function isBasic(credentials: string): boolean {
  if (credentials.length > PLAIN_WORD_LENGTH_MAX) return true
  const decoded = Buffer.from(credentials, 'base64')
  return isUtf8(decoded) && decoded.includes(':')
}
