/**
 * Finds secrets in URLs: the password or token before the `@`, and the path of a webhook, which grants access like a
 * password.
 */

import type { Span } from '../masked-text.js'
import type { KeyRules } from '../name/name-rules.js'

/**
 * Matches `scheme://` and the authority up to its last `@`. An authority does not contain slashes, so a match cannot
 * include the next `://`.
 */
const AUTHORITY = /(?<![A-Za-z0-9+.-])([A-Za-z][A-Za-z0-9+.-]{0,31}:\/\/)([^\s/?#"'<>`\\]*)@/g
/**
 * Matches a password that contains an unescaped slash. The text between the colon and the slash must not be a number,
 * because a number would be a port. The match is bounded, because an `@` must follow.
 */
const SLASHED_PASSWORD =
  /(?<![A-Za-z0-9+.-])([A-Za-z][A-Za-z0-9+.-]{0,31}:\/\/[^\s/?#@:"'<>`\\[]{0,256}:)(?!\d{0,5}(?:[/?#\s]|$))[^\s@"'<>`]{1,256}@/g

/** Matches placeholder passwords that services require together with a token. */
const NO_PASSWORD = /^(?:x-oauth-basic|x|)$/
const TOKEN_LIKE = /^(?=.{0,64}\d)(?=.{0,64}[A-Za-z])[A-Za-z0-9_.~%-]{16,}$/

/**
 * Matches each service's webhook URL and captures the secret part of the path. Sources: the services' documentation.
 */
const WEBHOOKS = new RegExp(
  [
    String.raw`(?<=hooks\.slack(?:-gov)?\.com\/(?:services|workflows|triggers)\/)[A-Za-z0-9+/_-]{8,}`,
    String.raw`(?<=discord(?:app)?\.com\/api\/(?:v\d{1,2}\/)?webhooks\/)\d{5,24}\/[\w-]{8,}`,
    String.raw`(?<=webhook\.office\.com\/webhookb2\/)[\w@/-]{16,}`,
    String.raw`(?<=outlook\.office(?:365)?\.com\/webhook\/)[\w@/-]{16,}`,
    String.raw`(?<=hooks\.zapier\.com\/hooks\/(?:catch|standard)\/)[\w/-]{6,}`,
    String.raw`(?<=maker\.ifttt\.com\/trigger\/[\w-]{1,64}\/(?:json\/)?with\/key\/)[\w-]{8,}`,
    String.raw`(?<=api\.telegram\.org\/(?:file\/)?bot)\d{5,16}:[\w-]{8,}`,
    String.raw`(?<=open\.(?:feishu\.cn|larksuite\.com)\/open-apis\/bot\/v2\/hook\/)[\w-]{8,}`,
    String.raw`(?<=hook\.(?:[a-z]{2}\d\.)?make\.com\/)[a-z0-9]{16,}`,
    String.raw`(?<=events\.pagerduty\.com\/integration\/)[a-f0-9]{16,}`,
    String.raw`(?<=\.pipedream\.net\/)[\w-]{16,}`,
    String.raw`(?<=\/hooks\/)[a-z0-9]{26}(?![a-z0-9])`,
    String.raw`(?<=\/hooks\/)[A-Za-z0-9]{17,24}\/[A-Za-z0-9]{30,}`,
  ].join('|'),
  'g',
)

export function findUrlPasswords(text: string, rules: KeyRules): readonly Span[] {
  const spans: Span[] = []
  for (const { 0: whole, 1: scheme = '', 2: userinfo = '', index } of text.matchAll(AUTHORITY)) {
    const user = index + scheme.length
    const at = index + whole.length - 1
    const colon = userinfo.indexOf(':')
    const password = colon < 0 ? '' : userinfo.slice(colon + 1)
    const name = colon < 0 ? userinfo : userinfo.slice(0, colon)
    if (NO_PASSWORD.test(password)) {
      if (name !== '' && isTokenName(scheme, name, rules))
        spans.push({ start: user, end: user + name.length, kind: 'url password' })
      continue
    }
    const start = user + colon + 1
    const end = start + lengthOfPassword(text.slice(start, at))
    if (end > start) spans.push({ start, end, kind: 'url password' })
  }
  return spans
}

/** A user name without a password is often a token: `https://TOKEN@github.com`. */
function isTokenName(scheme: string, name: string, rules: KeyRules): boolean {
  return /^(?:https?|wss?|git\+https?):/i.test(scheme) && (TOKEN_LIKE.test(name) || rules.isSensitive(name))
}

export function findSlashedPasswords(text: string): readonly Span[] {
  const spans: Span[] = []
  for (const { 0: whole, 1: before = '', index } of text.matchAll(SLASHED_PASSWORD)) {
    const start = index + before.length
    const end = start + lengthOfPassword(text.slice(start, index + whole.length - 1))
    if (end > start) spans.push({ start, end, kind: 'url password' })
  }
  return spans
}

export function findWebhooks(text: string): readonly Span[] {
  return Array.from(text.matchAll(WEBHOOKS), ({ 0: secret, index }) => ({
    start: index,
    end: index + secret.length,
    kind: 'webhook',
  }))
}

/**
 * One separator may be part of a password. Two separators, or a substitution, indicate a command: `a://b:x;reboot;@c`.
 */
function lengthOfPassword(password: string): number {
  const substitution = password.search(/[$@][({]|[#{]\{|`/)
  const plain = substitution < 0 ? password : password.slice(0, substitution)
  const separators = [...plain.matchAll(/[;&|]/g)]
  return separators.length < 2 ? plain.length : (separators[0]?.index ?? 0)
}
