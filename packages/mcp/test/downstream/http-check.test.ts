import { describe, expect, it } from 'vitest'
import { checkHeaders, isAnyAddress, rulesFor } from '../../src/downstream/http-check.js'

const TOKEN = 'a-token-of-some-length'
const rules = rulesFor('127.0.0.1', 80, { token: TOKEN })
const authorization = `Bearer ${TOKEN}`

describe('Host', () => {
  it.each(['127.0.0.1:80', 'localhost:80', 'LOCALHOST:80', '[::1]:80'])('%s is ours', (host) => {
    expect(checkHeaders({ host, authorization }, rules)).toBeNull()
  })

  it.each([
    undefined,
    '',
    'evil.example',
    'evil.example:80',
    'localhost',
    'localhost:81',
    'localhost:80.evil.example',
    '127.0.0.1:80:80',
  ])('%s is not', (host) => {
    expect(checkHeaders({ ...(host === undefined ? {} : { host }), authorization }, rules)?.status).toBe(403)
  })

  it('elsewhere only the address itself, and what was named', () => {
    const wide = rulesFor('0.0.0.0', 80, { more: ['Guard.example', 'guard.example:8443'], token: TOKEN })
    for (const host of ['0.0.0.0:80', 'guard.example', 'guard.example:8443'])
      expect(checkHeaders({ host, authorization }, wide)).toBeNull()
    for (const host of ['localhost:80', 'guard.example:80'])
      expect(checkHeaders({ host, authorization }, wide)?.status).toBe(403)
  })
})

describe('Origin', () => {
  const host = 'localhost:80'

  it('none, our own, and what was named', () => {
    const named = rulesFor('127.0.0.1', 80, { origins: ['https://app.example'], token: TOKEN })
    for (const origin of ['http://localhost:80', 'https://app.example'])
      expect(checkHeaders({ host, origin, authorization }, named)).toBeNull()
    expect(checkHeaders({ host, authorization }, named)).toBeNull()
  })

  it.each(['http://evil.example', 'null', 'https://localhost:80', 'http://localhost:81', '', 'http://localhost:80/'])(
    '%s is refused',
    (origin) => {
      expect(checkHeaders({ host, origin, authorization }, rules)?.status).toBe(403)
    },
  )
})

describe('the token', () => {
  const host = 'localhost:80'

  it.each([
    undefined,
    '',
    'Bearer',
    'Bearer ',
    `Basic ${TOKEN}`,
    TOKEN,
    `Bearer ${TOKEN}x`,
    `Bearer ${TOKEN.slice(1)}`,
    `Bearer ${TOKEN} x`,
  ])('%s is not it', (given) => {
    expect(checkHeaders({ host, ...(given === undefined ? {} : { authorization: given }) }, rules)?.status).toBe(401)
  })

  it('is asked for after Host and Origin, and not at all where there is none', () => {
    expect(checkHeaders({ host: 'evil.example' }, rules)?.status).toBe(403)
    expect(checkHeaders({ host }, rulesFor('localhost', 80, { token: null }))).toBeNull()
  })
})

it.each(['0.0.0.0', '::', '0', '0:0:0:0:0:0:0:0', '::0'])('%s is bound on every address', (host) => {
  expect(isAnyAddress(host)).toBe(true)
})

it.each(['127.0.0.1', '::1', '10.0.0.0', 'guard.example', '0.example'])('%s is one address', (host) => {
  expect(isAnyAddress(host)).toBe(false)
})
