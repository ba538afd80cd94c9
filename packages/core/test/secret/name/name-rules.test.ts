import { describe, expect, it } from 'vitest'
import { processorTime } from '../../../../crypto/test/fixtures/processor-time.js'
import { createKeyRules, splitWords } from '../../../src/secret/name/name-rules.js'

const { isSensitive, isUnmistakable } = createKeyRules()

describe('splitWords', () => {
  it.each([
    ['apiKey', ['api', 'key']],
    ['API_KEY', ['api', 'key']],
    ['x-api-key', ['x', 'api', 'key']],
    ['HTTPApiKey2', ['http', 'api', 'key']],
    ['db.user password', ['db', 'user', 'password']],
    ['ｔｏｋｅｎ', ['token']],
    ['123', []],
    ['', []],
  ])('%s', (name, words) => {
    expect(splitWords(name)).toEqual(words)
  })
})

describe('isSensitive', () => {
  it.each([
    ...[
      'api_key',
      'apiKey',
      'APIKEY',
      'APIkey',
      'Api-Key',
      'x-api-key',
      'api.key',
      'api key',
      'userApiKeys',
      'A_P_I_KEY',
    ],
    ...['token', 'tokens', 'accessToken', 'refresh_token', 'csrf-token', 'idToken', 'GITHUB_TOKEN', 'accesstoken'],
    ...['secret', 'secrets', 'client_secret', 'clientSecret', 'AWS_SECRET_ACCESS_KEY', 'secret_id'],
    ...[
      'password',
      'passwords',
      'passwd',
      'pwd',
      'passphrase',
      'pass',
      'PGPASSWORD',
      'db_password',
      'password2',
      'dbPass',
    ],
    ...['authorization', 'Proxy-Authorization', 'auth', 'auth0', 'oauth', 'oauth2', 'bearer', 'jwt', 'X-Auth'],
    ...[
      'private_key',
      'privateKey',
      'PRIVATEKEY',
      'access_key',
      'signing_key',
      'encryptionKey',
      'AccountKey',
      'SharedAccessKey',
    ],
    ...[
      'credential',
      'credentials',
      'creds',
      'session',
      'JSESSIONID',
      'PHPSESSID',
      'password_confirmation',
      'auth_code',
    ],
    ...[
      'passwort',
      'mot_de_passe',
      'пароль',
      '密码',
      'パスワード',
      '비밀번호',
      'şifre',
      'hasło',
      'passw0rd',
      's3cret',
      'pаssword',
    ],
    ...['cookie', 'Cookies', 'set-cookie', 'SetCookie', 'otp', 'cvv'],
  ])('%s is', (key) => {
    expect(isSensitive(key)).toBe(true)
  })

  it.each([
    ...['author', 'authors', 'authority', 'coauthored_by', 'tokenizer', 'tokenization', 'secretary', 'undersecretary'],
    ...['passenger', 'passengers', 'passport', 'boarding_pass', 'pass_count', 'bypass', 'compass', 'sessions_attended'],
    ...[
      'possession_id',
      'assess_id',
      'access',
      'accessible',
      'key',
      'keys',
      'monkey',
      'keyboard',
      'public_key',
      'primary_key',
    ],
    ...[
      'idempotency_key',
      'sort_key',
      'user_id',
      'payment_id',
      'reservation_id',
      'amount',
      'api',
      'private',
      'cookiecutter',
    ],
    ...['constructor', '__proto__', 'toString', '', '1', '日本', 'session_id', 'sessionId', 'SESSIONID', 'auth_method'],
    ...['next_token', 'nextPageToken', 'page_token', 'token_symbol', 'token_type', 'access_key_id', 'password_file'],
    ...['password_expired_at', 'cookie_consent', 'secrets_count', 'session_duration', 'пример', 'base64_x'],
  ])('%s is not', (key) => {
    expect(isSensitive(key)).toBe(false)
  })

  it.each([
    'ｐａｓｓｗｏｒｄ',
    'ａｐｉ＿ｋｅｙ',
    '𝓹𝓪𝓼𝓼𝔀𝓸𝓻𝓭',
    'pass\u200bword',
    'pass\u00adword',
    'pa\u0301ssword',
    's\u0338e\u0338c\u0338r\u0338e\u0338t',
    'to\u{e0001}ken',
    '\u202etoken',
    'ſecret',
  ])('sees through the disguise of %j', (key) => {
    expect(isSensitive(key)).toBe(true)
  })

  it('lets numbers under token counts through, nothing else', () => {
    for (const key of [
      'max_tokens',
      'maxTokens',
      'max-output-tokens',
      'token_count',
      'tokens',
      'promptTokens',
      'total_tokens',
    ]) {
      expect(isSensitive(key, 100)).toBe(false)
      for (const value of ['100', 100n, true, null, undefined, {}]) expect(isSensitive(key, value)).toBe(true)
    }
    for (const key of ['token', 'access_tokens', 'max_token', 'password', 'my_max_tokens'])
      expect(isSensitive(key, 100)).toBe(true)
  })

  it('takes long and hostile keys in linear time', () => {
    for (const piece of ['a', 'A', 'aB', 'a_', '_', 'token', 'tokeN_', '\u0301', '\u200b', 'é']) {
      const took = processorTime()
      isSensitive(piece.repeat((64 * 1024) / piece.length))
      expect(took()).toBeLessThan(2_000)
    }
  })
})

describe('isUnmistakable', () => {
  it('holds for fewer names', () => {
    for (const key of ['password', 'db_password', 'api-key', 'X-Api-Key', 'access_token', 'client_secret'])
      expect(isUnmistakable(key)).toBe(true)
    for (const key of ['session', 'token', 'secret', 'auth', 'cookie', 'bearer', 'author'])
      expect(isUnmistakable(key)).toBe(false)
  })
})

describe('extra keys', () => {
  it('match in every spelling, between word borders', () => {
    const rules = createKeyRules(['taxId', 'iban'])
    for (const key of ['tax_id', 'TAX-ID', 'customer.taxId', 'taxid', 'IBAN', 'ibanNumber'])
      expect(rules.isSensitive(key)).toBe(true)
    for (const key of ['tax', 'id', 'syntaxid', 'caliban']) expect(rules.isSensitive(key)).toBe(false)
    expect(isSensitive('iban')).toBe(false)
  })

  it('can make a token count sensitive again', () => {
    expect(createKeyRules(['max_tokens']).isSensitive('maxTokens', 100)).toBe(true)
  })

  it('must be names', () => {
    for (const key of ['', '42', '_', 7, null]) expect(() => createKeyRules([key as string])).toThrow(TypeError)
  })
})

describe('what was said of a name before', () => {
  it('holds for the name, not for what stood under it', () => {
    const rules = createKeyRules()
    const said = () => [rules.isSensitive('max_tokens', 100), rules.isSensitive('max_tokens', 'abc')]
    expect([...said(), ...said()]).toEqual([false, true, false, true])
  })

  it('is kept for each set of rules by itself', () => {
    const [plain, more] = [createKeyRules(), createKeyRules(['iban'])]
    expect([plain.isSensitive('iban'), more.isSensitive('iban'), plain.isSensitive('iban')]).toEqual([
      false,
      true,
      false,
    ])
  })

  it('is the same after more names than are kept', () => {
    const rules = createKeyRules()
    for (let n = 0; n < 3_000; n += 1) rules.isSensitive(`name${n}`)
    expect([rules.isSensitive('password'), rules.isSensitive('name5')]).toEqual([true, false])
  })
})
