/**
 * Which names mean that what stands beside them is secret.
 *
 * A name is split into words (`apiKey`, `API_KEY`, `x-api-key`, `APIKey2` → api, key), and a sensitive name is a word, or
 * up to four neighbouring words written together, that is in the list below or ends in one of the endings. Words have
 * borders, so `author`, `tokenizer`, `secretary` and `passenger` survive; run-together names such as `PGPASSWORD` and
 * `accesstoken` are caught by the endings. Before that, look-alikes are folded: full-width and styled letters, accents
 * and invisible characters make no difference. Letters of other alphabets that look Latin are not folded.
 */

const SENSITIVE: ReadonlySet<string> = new Set([
  ...['auth', 'authorization', 'bearer', 'oauth', 'jwt', 'jwts', 'otp', 'totp', 'creds'],
  ...['pwd', 'passcode', 'passwordhash', 'dbpass', 'smtppass', 'userpass', 'sshpass', 'cvv', 'cvc'],
  ...[
    'session',
    'sessionkey',
    'sessionid',
    'jsessionid',
    'sessid',
    'phpsessid',
    'cookie',
    'cookies',
    'setcookie',
    'sharedaccesssignature',
  ],
  ...['accountkey', 'appkey', 'consumerkey', 'deploykey', 'encryptionkey', 'hmackey', 'masterkey', 'sharedkey'],
  ...['signingkey', 'sshkey', 'storagekey', 'subscriptionkey'],
])

/** A word may also end in one of these: no ordinary word does. */
const ENDINGS: readonly string[] = [
  ...['password', 'passwords', 'passwd', 'passphrase', 'secret', 'secrets', 'token', 'tokens'],
  ...['apikey', 'apikeys', 'accesskey', 'accesskeys', 'secretkey', 'secretkeys', 'privatekey', 'privatekeys'],
  ...['credential', 'credentials'],
]

/** Sensitive only as the whole name: `boarding_pass` and `pass_count` are no secrets. */
const SENSITIVE_ALONE: ReadonlySet<string> = new Set(['pass', 'pw'])

/**
 * Settings and counters of language models. They count tokens and hold none, and policies compare them, so a *number*
 * under one of these names survives; anything else under it does not.
 */
const TOKEN_COUNTS: ReadonlySet<string> = new Set([
  ...['tokens', 'tokencount', 'tokenlimit', 'tokenbudget', 'tokensused', 'numtokens', 'ntokens', 'budgettokens'],
  ...['maxtokens', 'mintokens', 'maxoutputtokens', 'maxinputtokens', 'maxcompletiontokens', 'maxnewtokens'],
  ...['prompttokens', 'completiontokens', 'totaltokens', 'inputtokens', 'outputtokens', 'reasoningtokens'],
  ...['thinkingtokens', 'cachedtokens', 'cachereadinputtokens', 'cachecreationinputtokens', 'maxtokenstosample'],
])

/** Names that are sensitive in front of a colon in running text too, where `session: Monday` and `token: one` are prose. */
const UNMISTAKABLE =
  /(?:password|passwd|passphrase|pwd|apikey|secretkey|clientsecret|accesskey|privatekey|(?:access|refresh|auth|bearer|api|id)token)$/

const WORDS_JOINED_MAX = 4

/** Of a name, whatever stands under it. */
interface Judgement {
  readonly isSensitive: boolean
  readonly isTokenCount: boolean
}

/** A tool is called with the same few names again and again, so that what was said of them is kept: so many, up to such a length. */
const KEPT_KEYS_MAX = 1_000
const KEPT_KEY_LENGTH_MAX = 64

export interface KeyRules {
  /** Whether what stands under this key is secret. A number under a token count (`max_tokens`) is not. */
  isSensitive(key: string, value?: unknown): boolean
  /** The same for a name in front of a colon in running text, where fewer names are beyond doubt. */
  isUnmistakable(key: string): boolean
  /** Whether the caller's own names say that what stands under this key is secret. */
  isDeclared(key: string): boolean
}

/**
 * The rules above, and names of the caller's own: each matches in every spelling (`taxId` finds `tax_id` and `TAX-ID`).
 *
 * @throws TypeError for an extra name without a letter
 */
export function createKeyRules(extraKeys: readonly string[] = []): KeyRules {
  const extra = new Set(
    extraKeys.map((key) => {
      const name = typeof key === 'string' ? splitWords(key).join('') : ''
      if (name === '')
        throw new TypeError(`\`keys\` must be names with letters in them, and \`${String(key)}\` is none`)
      return name
    }),
  )
  const judge = (key: string): Judgement => {
    const words = splitWords(key)
    const name = words.join('')
    return {
      isSensitive:
        SENSITIVE_ALONE.has(name) || someRun(words, (run) => extra.has(run) || SENSITIVE.has(run) || hasEnding(run)),
      isTokenCount: TOKEN_COUNTS.has(name) && !extra.has(name),
    }
  }
  const judged = new Map<string, Judgement>()
  const judgementOf = (key: string): Judgement => {
    const known = judged.get(key)
    if (known !== undefined) return known
    const judgement = judge(key)
    if (key.length > KEPT_KEY_LENGTH_MAX) return judgement
    if (judged.size >= KEPT_KEYS_MAX) judged.clear()
    judged.set(key, judgement)
    return judgement
  }
  return {
    isSensitive(key, value) {
      const { isSensitive, isTokenCount } = judgementOf(key)
      return isSensitive && !(isTokenCount && typeof value === 'number')
    },
    isDeclared(key) {
      return extra.size > 0 && someRun(splitWords(key), (run) => extra.has(run))
    },
    isUnmistakable(key) {
      return someRun(splitWords(key), (run) => extra.has(run) || UNMISTAKABLE.test(run))
    },
  }
}

/** Whether some neighbouring words, written together, pass. */
function someRun(words: readonly string[], passes: (run: string) => boolean): boolean {
  return words.some((_, start) => {
    let run = ''
    return words.slice(start, start + WORDS_JOINED_MAX).some((word) => {
      run += word
      return passes(run)
    })
  })
}

function hasEnding(word: string): boolean {
  return ENDINGS.some((ending) => word.endsWith(ending))
}

/** Lower-case words of a name; digits and signs only separate them. */
export function splitWords(name: string): readonly string[] {
  return name
    .normalize('NFKD')
    .replace(/[\p{M}\p{Cf}\p{Default_Ignorable_Code_Point}]/gu, '')
    .split(/[^\p{L}]+|(?<=\p{Ll})(?=\p{Lu})|(?<=\p{Lu})(?=\p{Lu}\p{Ll})/u)
    .filter((word) => word !== '')
    .map((word) => word.toLowerCase())
}
