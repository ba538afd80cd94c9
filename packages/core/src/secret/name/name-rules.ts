/**
 * Decides which names mark a value as secret.
 *
 * A name is split into words (`apiKey`, `API_KEY`, `x-api-key`, `APIKey2` → api, key). The name is sensitive if a word,
 * or up to four neighbouring words joined together, is in the list (`sensitive-name.ts`) or has one of the listed
 * endings. Because of word boundaries, `author`, `tokenizer`, `secretary` and `passenger` are not sensitive; the
 * endings catch names without boundaries, such as `PGPASSWORD` and `accesstoken`. Before the comparison, full-width and
 * styled letters are normalised, accents and invisible characters are removed, and lookalikes of Latin letters are
 * replaced.
 *
 * A name that describes a secret is not sensitive: `auth_method`, `password_file`, `session_id`, `next_token`.
 */
import { foldLookalikes } from './lookalike.js'
import { DESCRIPTORS, ENDINGS, IDENTIFIED, PAGING, SENSITIVE, SENSITIVE_ALONE, TOKEN_COUNTS } from './sensitive-name.js'

/**
 * Matches names that are sensitive even before a colon in running text, where `session: Monday` and `token: one` are
 * prose.
 */
const UNMISTAKABLE =
  /(?:password|passwd|passphrase|pwd|apikey|secretkey|clientsecret|accesskey|privatekey|passwort|mnemonic|mfacode|(?:access|refresh|auth|bearer|api|id)token)$/

/** Ambiguous names. A number, a path or a short word under such a name is not concealed. */
const WEAK: ReadonlySet<string> = new Set(['session', 'auth', 'pwd'])
const WEAK_VALUE = /^(?:[+-]?\d{1,16}(?:\.\d{1,16})?|[a-z]{1,8}|(?:~|\.{1,2}|[A-Za-z]:)?[/\\][^\s;&|$`"'<>]*)$/
/** Matches a value of `token` that is the symbol or the address of a currency. */
const CURRENCY = /^(?:[A-Z][A-Z0-9]{1,5}|0x[0-9a-fA-F]{40})$/
const PIN = /^\d{4,12}$/
/**
 * Matches a secret value of `seed`: a wallet phrase or a long hex string. Any other seed, such as the number for a
 * random generator, is not secret.
 */
const SEED = /^(?:[a-z]{3,8}(?:\s+[a-z]{3,8}){11,23}|(?:0x)?[0-9a-fA-F]{32,})$/

const WORDS_JOINED_MAX = 4

/**
 * The maximum number and length of names whose results are cached. Tools are called with the same few names.
 */
const KEPT_KEYS_MAX = 1_000
const KEPT_KEY_LENGTH_MAX = 64

type Rule =
  | 'never'
  | 'always'
  | 'unless number'
  | 'unless weak'
  | 'unless currency'
  | 'if pin'
  | 'if seed'
  | 'unless small'

export interface KeyRules {
  /**
   * Whether a value under this key is secret.
   *
   * @param value - the value under the key. If omitted, the result says whether any value could be secret
   */
  isSensitive(key: string, value?: unknown): boolean
  /** Like `isSensitive`, for a name before a colon in running text, where more names are ambiguous. */
  isUnmistakable(key: string): boolean
  /** Whether the caller's own names declare values under this key as secret. */
  isDeclared(key: string): boolean
}

/**
 * Creates the rules described above, plus the caller's own names. Each of the caller's names matches in every naming
 * style: `taxId` matches `tax_id` and `TAX-ID`.
 *
 * @throws TypeError for an additional name that does not contain a letter
 */
export function createKeyRules(extraKeys: readonly string[] = []): KeyRules {
  const extra = new Set(
    extraKeys.map((key) => {
      const name = typeof key === 'string' ? splitWords(key).join('') : ''
      if (name === '')
        throw new TypeError(`\`keys\` must contain names with letters; \`${String(key)}\` is not such a name`)
      return name
    }),
  )
  const isDeclared = (key: string): boolean => extra.size > 0 && someRun(splitWords(key), (run) => extra.has(run))
  const ruled = new Map<string, Rule>()
  const ruleOf = (key: string): Rule => {
    const known = ruled.get(key)
    if (known !== undefined) return known
    const rule = isDeclared(key) ? 'always' : ruleFor(key)
    if (key.length > KEPT_KEY_LENGTH_MAX) return rule
    if (ruled.size >= KEPT_KEYS_MAX) ruled.clear()
    ruled.set(key, rule)
    return rule
  }
  return {
    isSensitive: (key, value) => applies(ruleOf(key), value),
    isUnmistakable: (key) =>
      ruleOf(key) !== 'never' &&
      someRun(splitWords(foldLookalikes(key)), (run) => extra.has(run) || UNMISTAKABLE.test(run)),
    isDeclared,
  }
}

function applies(rule: Rule, value: unknown): boolean {
  const text = typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined
  switch (rule) {
    case 'never':
      return false
    case 'always':
      return true
    case 'unless number':
      return typeof value !== 'number'
    case 'unless weak':
      return text === undefined || !WEAK_VALUE.test(text)
    case 'unless currency':
      return text === undefined || !CURRENCY.test(text)
    case 'unless small':
      return text === undefined || !/^\d{1,3}$/.test(text)
    case 'if pin':
      return text !== undefined && PIN.test(text)
    case 'if seed':
      return text !== undefined && SEED.test(text)
  }
}

function ruleFor(key: string): Rule {
  const words = splitWords(key)
  const name = words.join('')
  const folded = foldLookalikes(key)
  const alike = folded === key ? words : splitWords(folded)
  if (TOKEN_COUNTS_SET.has(name)) return 'unless number'
  if (name === 'pin' || name === 'pincode' || (words.length <= 3 && words.at(-1) === 'pin')) return 'if pin'
  if (words.at(-1) === 'seed') return 'if seed'
  if (!ALONE_SET.has(name) && !someRun(words, isSecretRun) && !someRun(alike, isSecretRun)) return 'never'
  if (describesASecret(words)) return 'never'
  if (WEAK.has(name)) return 'unless weak'
  if (name === 'token') return 'unless currency'
  return name === 'pass' ? 'unless small' : 'always'
}

const asRun = (text: string): string => splitWords(text).join('')
const SENSITIVE_SET: ReadonlySet<string> = new Set(SENSITIVE.map(asRun))
const ALONE_SET: ReadonlySet<string> = new Set(SENSITIVE_ALONE)
const TOKEN_COUNTS_SET: ReadonlySet<string> = new Set(TOKEN_COUNTS)
const DESCRIPTOR_SET: ReadonlySet<string> = new Set(DESCRIPTORS)
const IDENTIFIED_SET: ReadonlySet<string> = new Set(IDENTIFIED)
const PAGING_SET: ReadonlySet<string> = new Set(PAGING)

const isSecretRun = (run: string): boolean => SENSITIVE_SET.has(run) || ENDINGS.some((ending) => run.endsWith(ending))

/** Whether a name of several words describes a secret instead of naming a secret. The last word decides. */
function describesASecret(words: readonly string[]): boolean {
  const [last = '', before = ''] = [words.at(-1), words.slice(0, -1).join('')]
  if (words.length < 2) return false
  if (last === 'token' && PAGING_SET.has(before)) return true
  if (last === 'id' || last === 'ids') return [...IDENTIFIED_SET].some((name) => before.endsWith(name))
  // `secret_name` describes a secret. `user_name_token` does not, because its last word is the name of a secret.
  return DESCRIPTOR_SET.has(last) && !isSecretRun(last) && !isSecretRun(words.slice(-2).join(''))
}

/** Whether any run of neighbouring words, joined together, passes the test. */
function someRun(words: readonly string[], passes: (run: string) => boolean): boolean {
  return words.some((_, start) => {
    let run = ''
    return words.slice(start, start + WORDS_JOINED_MAX).some((word) => {
      run += word
      return passes(run)
    })
  })
}

/** Splits a name into lower-case words. Digits and punctuation only separate words. */
export function splitWords(name: string): readonly string[] {
  return name
    .normalize('NFKD')
    .replace(/[\p{M}\p{Cf}\p{Default_Ignorable_Code_Point}]/gu, '')
    .split(/[^\p{L}]+|(?<=\p{Ll})(?=\p{Lu})|(?<=\p{Lu})(?=\p{Lu}\p{Ll})/u)
    .filter((word) => word !== '')
    .map((word) => word.toLowerCase())
}
