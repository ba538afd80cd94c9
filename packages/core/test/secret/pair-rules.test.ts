import { describe, expect, it } from 'vitest'
import { sampled } from '../../../../test/tier.js'
import { processorTime } from '../../../crypto/test/fixtures/processor-time.js'
import { createKeyRules } from '../../src/secret/name/name-rules.js'
import { redactPairs } from '../../src/secret/pair-rules.js'

const rules = createKeyRules()
const redact = (text: string): string => redactPairs(text, rules)

describe('pairs with a sign', () => {
  it.each([
    ['Server=x;User Id=sa;Password=p@ss,w;Database=d', 'Server=x;User Id=sa;Password=[redacted];Database=d'],
    ['host=h pwd=hunter2 db=d', 'host=h pwd=[redacted] db=d'],
    ['PWD={a;b c};Database=x', 'PWD=[redacted];Database=x'],
    ['h:6379,password=abc,ssl=True', 'h:6379,password=[redacted],ssl=True'],
    ['connect(user=a, password=b, host=c)', 'connect(user=a, password=[redacted], host=c)'],
    ['https://x/?api_key=abc&b=1#access_token=zzz', 'https://x/?api_key=[redacted]&b=1#access_token=[redacted]'],
    ['https://x/?sv=1&sig=a%2Bb%3D&se=2', 'https://x/?sv=1&sig=[redacted]&se=2'],
    ['?X-Amz-Signature=abc&X-Amz-Date=1', '?X-Amz-Signature=[redacted]&X-Amz-Date=1'],
    ['to=https%3A%2F%2Fx%3Ftoken%3Dabc%26y%3D1', 'to=https%3A%2F%2Fx%3Ftoken%3D[redacted]%26y%3D1'],
    ['user[password]=x&b=1', 'user[password]=[redacted]&b=1'],
    ['aws_secret_access_key = wJalr/XUt+n', 'aws_secret_access_key = [redacted]'],
    ['PGPASSWORD=hunter2 psql', 'PGPASSWORD=[redacted] psql'],
    ['$password = "a b"; $x = 1', '$password = "[redacted]"; $x = 1'],
    ["WHERE password = 'it''s'", "WHERE password = '[redacted]''s'"],
    ['authorization=Bearer abcdef', 'authorization=[redacted]'],
    ['password=p\\ss next', 'password=[redacted] next'],
    ['password=[redacted]', 'password=[redacted]'],
    ['f(password=[redacted])', 'f(password=[redacted])'],
    ["'password' => 'x'", "'password' => '[redacted]'"],
  ])('%s', (text, redacted) => {
    expect(redact(text)).toBe(redacted)
    expect(redact(redacted)).toBe(redacted)
  })
})

describe('pairs in JSON', () => {
  it.each([
    ['{"password": "a\\"b", "x": 1}', '{"password": "[redacted]", "x": 1}'],
    ['{"password":"a\\\\", "x": "b"}', '{"password":"[redacted]", "x": "b"}'],
    ['{"pin": 1, "password": 123}', '{"pin": 1, "password": "[redacted]"}'],
    ['{"auth": null, "secret": true}', '{"auth": null, "secret": true}'],
    [
      '{"token": {"a": ["}", 1], "b": "\\"}"}, "z": 1}',
      '{"token": {"a": ["[redacted]", "[redacted]"], "b": "[redacted]"}, "z": 1}',
    ],
    ['{"tokens": ["a", "b"]}', '{"tokens": ["[redacted]", "[redacted]"]}'],
    ["{'password': 'x'}", "{'password': '[redacted]'}"],
    ['{password: \'x\', token: "y"}', '{password: \'[redacted]\', token: "[redacted]"}'],
    ['{"password": ""}', '{"password": ""}'],
  ])('%s', (text, redacted) => {
    expect(redact(text)).toBe(redacted)
    expect(redact(redacted)).toBe(redacted)
  })

  it('hold at every level of JSON in JSON, and leave JSON behind', () => {
    const secrets = ['plain', 'q"uote', 'back\\slash', '\\', '"', '\\"', 'new\nline', '{"a":"}"}']
    const unwrap = (text: string, level: number): unknown =>
      level === 0 ? JSON.parse(text) : unwrap(JSON.parse(text).in, level - 1)
    for (const secret of secrets) {
      let text = JSON.stringify({ password: secret, token: { deep: [secret, '}'] }, kept: 'kept' })
      for (let level = 0; level < 4; level++) {
        expect(unwrap(redact(text), level)).toEqual({
          password: '[redacted]',
          token: { deep: ['[redacted]', '[redacted]'] },
          kept: 'kept',
        })
        text = JSON.stringify({ in: text })
      }
    }
  })

  it('that nothing closes end where a word ends', () => {
    expect(redact('{"password": "hunt er')).toBe('{"password": "[redacted] er')
    expect(redact('{"token": {"a": "b", ')).toBe('{"token": {"a": "[redacted]", ')
    expect(redact('{"password": "')).toBe('{"password": "')
    expect(redact('{"in": "{\\"password\\": \\"hunt", "kept": 1}')).toBe(
      '{"in": "{\\"password\\": \\"[redacted]", "kept": 1}',
    )
  })
})

describe('pairs with a colon in running text', () => {
  it.each([
    ['password: hunter2', 'password: [redacted]'],
    ['X-Api-Key: abc', 'X-Api-Key: [redacted]'],
    ['-H "X-Api-Key: abc" -v', '-H "X-Api-Key: [redacted]" -v'],
    ['Authorization: ApiKey abc def\r\nHost: x', 'Authorization: [redacted]\r\nHost: x'],
    ['curl -H "Authorization: token abc" https://x', 'curl -H "Authorization: [redacted]" https://x'],
    ['Cookie: a=b; c=d\nHost: x', 'Cookie: [redacted]\nHost: x'],
    ['Set-Cookie: sid=1; Path=/', 'Set-Cookie: [redacted]'],
    ['token: abc12345', 'token: [redacted]'],
  ])('%s', (text, redacted) => {
    expect(redact(text)).toBe(redacted)
    expect(redact(redacted)).toBe(redacted)
  })

  it.each([
    ...[
      'session: Monday',
      'Session: Monday 10am',
      'token: one',
      'The secret: she left',
      'cookie: oatmeal',
      'author: Bob',
    ],
    ...[
      'Passwords are hard; a token of thanks. The session was long.',
      'token://x',
      'session => { return 1 }',
      'auth: {user}',
    ],
    ...['password is hunter2', 'password:', 'password=', 'password= ', '"password":'],
  ])('%s stays', (text) => {
    expect(redact(text)).toBe(text)
  })
})

describe('flags', () => {
  it.each([
    ['mysql --password hunter2 -u root', 'mysql --password [redacted] -u root'],
    ['x --api-key=abc --v', 'x --api-key=[redacted] --v'],
    ['x --token "a b" y', 'x --token "[redacted]" y'],
    ['x --password --verbose y', 'x --password --verbose y'],
    ['x --max-tokens 100 --author me', 'x --max-tokens 100 --author me'],
  ])('%s', (text, redacted) => {
    expect(redact(text)).toBe(redacted)
  })
})

it('leaves token counts and names that only look alike', () => {
  const text = 'max_tokens=100 "token_count": 5, author=me tokenizer=bpe secretary=joe a=b'
  expect(redact(text)).toBe(text)
  expect(redact('max_tokens=abc')).toBe('max_tokens=[redacted]')
  expect(redact('password=12345')).toBe('password=[redacted]')
})

it('applies names of the caller', () => {
  expect(redactPairs('tax-id=12 iban: DE02', createKeyRules(['taxId', 'iban']))).toBe(
    'tax-id=[redacted] iban: [redacted]',
  )
})

it('takes linear time on 256 KiB of anything', () => {
  const pieces = [
    ...[
      'a',
      'a=',
      'a:',
      'a ',
      '=',
      ':',
      '"',
      '\\',
      '\\"',
      '{',
      '[',
      ',',
      '&',
      '--',
      '--a ',
      'password=',
      'password="',
      'password=\\"',
    ],
    ...[
      '"password":',
      '"password":"',
      '"password":{',
      '"password":[',
      '\\"password\\":\\"',
      'password:',
      'password: ',
      'token:',
      'token: ',
    ],
    ...[
      'token: a ',
      'token=',
      'tokens=1,',
      'tokens=1 ',
      'cookie:',
      'cookie: a',
      'authorization:',
      'authorization: \n',
      '--password ',
    ],
    ...[
      'password=,a',
      'a=,a',
      '%3D',
      'token%3D',
      'password=[redacted])',
      '[redacted]',
      'session =>',
      "token='",
      'sig=',
      'token=bearer ',
    ],
  ]
  for (const piece of sampled(pieces, 3)) {
    for (const [before, after] of [
      ['', ''],
      ['password="', ''],
      ['password={', ''],
      ['"token":', '"'],
    ]) {
      const text = before + piece.repeat(Math.ceil((256 * 1024) / piece.length)) + after
      const took = processorTime()
      redact(text)
      expect(took(), `${before}${piece}…${after}`).toBeLessThan(2_000)
    }
  }
})
