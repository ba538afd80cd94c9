/**
 * Defines the type of the token format tables and the sources of the prefixes: a rule in a public collection, or the
 * issuer's own page. `NOT_FOUND` means that no source was found. Such a row is kept, because recording a secret does
 * more harm than concealing a word.
 *
 * A row contains a prefix, the alphabet of the following characters, and their minimum number. `token.ts` matches the
 * rows in linear time.
 */

export const GITLEAKS = 'https://github.com/gitleaks/gitleaks/blob/master/config/gitleaks.toml'
export const GITHUB =
  'https://docs.github.com/en/code-security/reference/secret-security/supported-secret-scanning-patterns'
export const BETTERLEAKS = 'https://github.com/betterleaks/betterleaks/blob/main/config/betterleaks.toml'
export const KINGFISHER = 'https://github.com/mongodb/kingfisher/tree/main/crates/kingfisher-rules/data/rules'
export const GITLAB = 'https://docs.gitlab.com/security/tokens/#token-prefixes'
export const DYNATRACE =
  'https://docs.dynatrace.com/docs/manage/identity-access-management/access-tokens-and-oauth-clients/access-tokens'
export const VERCEL = 'https://vercel.com/changelog/new-token-formats-and-secret-scanning'
export const NOT_FOUND = 'not found'
export const TRUFFLEHOG = 'https://github.com/trufflesecurity/trufflehog/tree/main/pkg/detectors'

const DIGITS = '0123456789'
const LOWER = 'abcdefghijklmnopqrstuvwxyz'
const UPPER = LOWER.toUpperCase()
const ALNUM = DIGITS + LOWER + UPPER

/** The alphabets of the characters after the prefix. */
export const ALPHABETS = {
  alnum: ALNUM,
  asana: `${DIGITS}abcdef/:`,
  b64: `${ALNUM}+/=`,
  b64url: `${ALNUM}+/=_-`,
  dash: `${ALNUM}-`,
  dollar: `${ALNUM}$`,
  dot: `${ALNUM}_.=-`,
  hex: `${DIGITS}abcdefABCDEF`,
  hexdash: `${DIGITS}abcdefABCDEF-`,
  lower: DIGITS + LOWER,
  percent: `${ALNUM}%-+/=`,
  rancher: `${ALNUM}-:`,
  upper: DIGITS + UPPER,
  upperdash: `${DIGITS}${UPPER}-`,
  url: `${ALNUM}_-`,
  word: `${ALNUM}_`,
} as const

export type Alphabet = keyof typeof ALPHABETS

/**
 * An additional condition for tokens that resemble words: `digit` requires a digit; `mixed` requires upper-case
 * letters, lower-case letters and a digit; `library`, `npm` and `asia` exclude library names, npm settings and the word
 * "asia". `anywhere`: the token may also occur inside a longer word.
 */
export type TokenCondition = 'digit' | 'mixed' | 'library' | 'npm' | 'asia' | 'anywhere'

export type TokenFormatRow = readonly [
  issuer: string,
  prefix: string,
  alphabet: Alphabet,
  lengthMin: number,
  source: string,
  condition?: TokenCondition,
]
