import { describe, expect, it } from 'vitest'
import { sampled } from '../../../../../test/tier.js'
import { processorTime } from '../../../../crypto/test/fixtures/processor-time.js'
import { REDACTED } from '../../../src/secret/masked-text.js'
import { createKeyRules } from '../../../src/secret/name/name-rules.js'
import { redactSecrets, SECRET_RULES } from '../../../src/secret/shape/shape-rules.js'

const letters = (length: number) => 'aB3dE5gH'.repeat(Math.ceil(length / 8)).slice(0, length)
const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl'

describe('prefixed tokens', () => {
  it.each([
    ...['sk-test-123', `sk-${letters(48)}`, `sk-proj-${letters(40)}`, `sk-ant-api03-${letters(20)}_${letters(9)}-AA`],
    ...['sk-AbCdEfGhIjKlMnOpQrStUvWx', 'sk-abcdefghijklmnopqrst'],
    ...[`sk_live_${letters(24)}`, 'sk_test_4eC39H', `rk_live_${letters(24)}`],
    ...[
      'ghp_abc123',
      `ghp_${letters(36)}`,
      `gho_${letters(36)}`,
      `ghu_${letters(36)}`,
      `ghs_${letters(36)}`,
      `ghr_${letters(36)}`,
    ],
    ...[
      `github_pat_${letters(22)}_${letters(59)}`,
      'github_pat_abc',
      'xoxb-123-456-abc',
      'xoxp-1-2',
      'xoxe-1-abc',
      'xapp-1-A-2',
    ],
    ...['glpat-abc123', `glpat-${letters(20)}`, `npm_${letters(36)}`, 'npm_abc123', 'npm_Xyzw', `AIza${letters(35)}`],
    ...[
      'AKIAIOSFODNN7EXAMPLE',
      'AKIA123456',
      'ASIAIOSFODNN7EXAMPLE',
      'ASIA1234ABCD',
      `hf_${letters(34)}`,
      `pypi-${letters(60)}`,
    ],
    ...[
      `SG.${letters(22)}.${letters(43)}`,
      `gsk_${letters(52)}`,
      `dop_v1_${letters(64)}`,
      `shpat_${letters(32)}`,
      `dckr_pat_${letters(27)}`,
    ],
    ...[`ya29.${letters(60)}`, `AGE-SECRET-KEY-1${'QZ9'.repeat(19)}`, JWT],
  ])('%s goes, what stands around it stays', (secret) => {
    expect(redactSecrets(secret)).toBe(REDACTED)
    for (const [before, after] of [
      ['use ', ' now'],
      ['(', ')'],
      ['"', '"'],
      ['x=', '&y'],
      ['a/', '/b'],
      ['\n', '\r\n'],
      ['é', 'é'],
    ]) {
      expect(redactSecrets(before + secret + after)).toBe(before + REDACTED + after)
    }
    expect(redactSecrets(`${secret} ${secret}`)).toBe(`${REDACTED} ${REDACTED}`)
  })

  it('finds a full-length GitHub token inside a longer word too', () => {
    expect(redactSecrets(`MYTOKENghp_${letters(36)}`)).toBe(`MYTOKEN${REDACTED}`)
  })

  it.each([
    ...[
      'sk-learn',
      'sk-cubeGridScaleDelay',
      'scikit sk-learn-0.24 and sk-image',
      'sk-SK',
      'task-force',
      'risk-adjusted',
      'ask-me-1',
      'desk-1234567',
    ],
    ...[
      'task_live_1',
      'desk_test_2',
      'highs_and_lows',
      'weighs_100',
      'npm_config_cache',
      'npm_lifecycle_event',
      'npm_execpath',
    ],
    ...[
      'ASIA',
      'ASIAN',
      'ASIAPACIFIC',
      'AKIA',
      'xoxo',
      'xox-',
      'ghp_',
      'the ghp_ prefix',
      'monkeyJson.parse(x)',
      'keyJ.a.b',
    ],
    ...[
      'github_pat',
      'hf_hub_download',
      'SG.com',
      'gl-pat',
      'a.b.c',
      'eyJ',
      'e.g. this',
      'AIza',
      'sk- and sk_',
      'pypi-server',
    ],
  ])('%s stays', (text) => {
    expect(redactSecrets(text)).toBe(text)
  })

  it('takes a webhook secret with the signs of base64', () => {
    expect(redactSecrets(`use whsec_${letters(20)}/+${letters(9)}= now`)).toBe(`use ${REDACTED} now`)
  })

  it('takes a JWT without a signature, and one in a dotted run', () => {
    expect(redactSecrets('see .eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0. next')).toBe(`see .${REDACTED}. next`)
    expect(redactSecrets(`host.${JWT}`)).toBe(`host.${REDACTED}`)
  })
})

describe('PEM blocks', () => {
  const pem = (kind: string, body = 'MIIEvQIBADAN\nBgkqhkiG9w0B') =>
    `-----BEGIN ${kind}-----\n${body}\n-----END ${kind}-----`

  it('go whole, every kind of them, in every line ending', () => {
    for (const kind of [
      'PRIVATE KEY',
      'RSA PRIVATE KEY',
      'OPENSSH PRIVATE KEY',
      'PGP PRIVATE KEY BLOCK',
      'SOMETHING ELSE',
    ]) {
      expect(redactSecrets(`a ${pem(kind)} b ${pem(kind)} c`)).toBe(`a ${REDACTED} b ${REDACTED} c`)
      expect(redactSecrets(JSON.stringify(pem(kind)))).toBe(`"${REDACTED}"`)
    }
    expect(
      redactSecrets('---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nP2/56\n---- END SSH2 ENCRYPTED PRIVATE KEY ----'),
    ).toBe(REDACTED)
  })

  it('end behind the last line of base64 when unterminated', () => {
    expect(redactSecrets('key: -----BEGIN PRIVATE KEY-----\nMIIEvQIB\nand so on')).toBe(`key: ${REDACTED}\nand so on`)
    expect(redactSecrets('-----BEGIN EC PRIVATE KEY-----\nMIIEvQ\n-----END EC PRI')).toBe(
      `${REDACTED}\n-----END EC PRI`,
    )
  })

  it('that are public stay', () => {
    for (const kind of ['CERTIFICATE', 'PUBLIC KEY', 'RSA PUBLIC KEY', 'PGP PUBLIC KEY BLOCK', 'CERTIFICATE REQUEST'])
      expect(redactSecrets(pem(kind))).toBe(pem(kind))
  })

  it('are not every line of dashes', () => {
    const text = '----- begin here -----\n-----\nBEGIN ANYWAY'
    expect(redactSecrets(text)).toBe(text)
  })
})

describe('authorization values', () => {
  it.each([
    ['Bearer abc123', 'Bearer [redacted]'],
    ['bearer  a.b-c_d~e+f/g==', 'bearer  [redacted]'],
    ['BEARER opensesame', 'BEARER [redacted]'],
    ['Bearer opensesame', 'Bearer [redacted]'],
    ['sent "Bearer abc123", then left', 'sent "Bearer [redacted]", then left'],
    ['sent Bearer thisisaverylongwordwithoutdigits there', 'sent Bearer [redacted] there'],
    ['Basic dXNlcjpwYXNz', 'Basic [redacted]'],
    ['with Basic dXNlcjpwYXNzd29yZA== too', 'with Basic [redacted] too'],
    ['Basic dXNlcjpwYXNzd29yZA-tampered-with', 'Basic [redacted]'],
  ])('%s', (text, redacted) => {
    expect(redactSecrets(text)).toBe(redacted)
  })

  it.each([
    ...[
      'the bearer of news',
      'bearer news.',
      'a bearer bond',
      'Bearer Shares pay',
      'bearer-token',
      'use a bearer token.',
      'Bearer token',
    ],
    ...[
      'Basic Economy',
      'basic_economy',
      'Basic plan',
      'basic training is hard',
      'Basic',
      'bearer',
      'pallbearer abc123',
      'Bearer [redacted]',
    ],
  ])('%s stays', (text) => {
    expect(redactSecrets(text)).toBe(text)
  })
})

describe('connection strings', () => {
  it.each([
    ['postgres://app:hunter2@db.internal:5432/prod?ssl=1', 'postgres://app:[redacted]@db.internal:5432/prod?ssl=1'],
    ['redis://:hunter2@cache:6379/0', 'redis://:[redacted]@cache:6379/0'],
    ['mongodb+srv://u:p%40ss@h1,h2/db', 'mongodb+srv://u:[redacted]@h1,h2/db'],
    ['mysql://u:p@ss:w@h/db', 'mysql://u:[redacted]@h/db'],
    ['amqp://u:p/a/s@h/vhost', 'amqp://u:[redacted]@h/vhost'],
    ['https://x-access-token:ghx@github.com/a.git', 'https://x-access-token:[redacted]@github.com/a.git'],
    ['a=jdbc:postgresql://u:p@h/d, b=ftp://v:q@i', 'a=jdbc:postgresql://u:[redacted]@h/d, b=ftp://v:[redacted]@i'],
    ['https://a/?next=https://u:p@b/', 'https://a/?next=https://u:[redacted]@b/'],
    ['("https://u:p@b")', '("https://u:[redacted]@b")'],
  ])('%s', (text, redacted) => {
    expect(redactSecrets(text)).toBe(redacted)
    expect(redactSecrets(redacted)).toBe(redacted)
  })

  it.each([
    ...[
      'https://example.com:8443/a@b',
      'https://user@example.com/',
      'http://[::1]:8080/x@y',
      'mailto:a@b.com',
      'a@b.com: hello',
    ],
    ...['https://example.com/?q=a:b@c', 'see https://example.com: a@b', 'https://u:@host/', '://a:b@c'],
  ])('%s stays', (text) => {
    expect(redactSecrets(text)).toBe(text)
  })
})

// These tests are not benchmarks. They only detect quadratic rules, which would take minutes for these texts.
describe.each(SECRET_RULES.map((rule) => [rule.name, rule] as const))('the rule for %s', (_, rule) => {
  const starts = [
    ...[
      'eyJ',
      'eyJab.',
      '.eyJ',
      '-eyJ',
      'sk-',
      'sk-learn-',
      'ghp_',
      `ghp_${'a'.repeat(35)}-`,
      'github_pat_',
      'xoxb-',
      'glpat-',
      'npm_',
    ],
    ...[
      `npm_${'a'.repeat(29)}_`,
      'AIza',
      'AKIA',
      'ASIAAAA',
      'SG.',
      `SG.${'a'.repeat(64)}.`,
      'hf_',
      'ya29.',
      'AGE-SECRET-KEY-1',
    ],
    ...[
      '-',
      '----- ',
      '-----BEGIN ',
      '-----BEGIN A',
      '-----BEGIN A-----END ',
      'Bearer ',
      'bearer a ',
      'Basic -',
      'a://',
      'a://b:',
    ],
    ...['a://b:c/', 'a://b@', 'a:b@', 'a', 'a.', '_', '\\', '"', ' '],
  ]

  it('takes linear time on 256 KiB of anything', () => {
    for (const start of sampled(starts, 4)) {
      for (const [before, after] of [
        ['', ''],
        ['a://b:', ''],
        ['', '@'],
        ['eyJ', '.'],
        ['-----BEGIN A', ''],
      ]) {
        const text = before + start.repeat(Math.ceil((256 * 1024) / start.length)) + after
        const took = processorTime()
        rule.find(text, createKeyRules())
        expect(took(), `${rule.name} on ${before}${start.slice(0, 16)}…${after}`).toBeLessThan(2_000)
      }
    }
  })
})
