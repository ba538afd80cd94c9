import type { StopScope } from '@sudoagent/crypto/entry'
import { describe, expect, it, test } from 'vitest'
import { covers, isSameScope, normalScope } from '../../src/authority/stop-scope.js'

const call = {
  agentId: 'billing-1',
  action: 'server/tool',
  authority: {
    on_behalf_of: { id: 'alice', type: 'user', issuer: 'https://id.example.com', assurance: 'asserted' },
    tenant: 'acme',
    session: 'chat-7',
  },
} as const

describe('a scope', () => {
  it('is one scope in any spelling and in any order of its members', () => {
    expect(isSameScope({ tenant: 'a', agent: 'é' }, { agent: 'e\u0301', tenant: 'a' })).toBe(true)
    expect(isSameScope({ agent: 'a' }, { agent: 'a', tenant: 'a' })).toBe(false)
    expect(isSameScope({ on_behalf_of: { id: 'a' } }, { on_behalf_of: { id: 'a', issuer: 'i' } })).toBe(false)
    expect(normalScope({ all: true })).toEqual({ all: true })
  })
})

describe('a scope and a call', () => {
  test.each<[StopScope, boolean]>([
    [{ all: true }, true],
    [{ agent: 'billing-1' }, true],
    [{ agent: 'billing-*' }, true],
    [{ agent: 'billing-?' }, true],
    [{ agent: 'billing-??' }, false],
    [{ agent: 'Billing-1' }, false],
    [{ agent: 'billing' }, false],
    // Look-alike: the first letter is Cyrillic.
    [{ agent: '\u0432illing-1' }, false],
    [{ action: '*' }, true],
    [{ action: 'server/*' }, true],
    [{ action: '*/tool' }, true],
    [{ action: 'server?tool' }, true],
    [{ action: 'server' }, false],
    [{ action: 'SERVER/*' }, false],
    [{ tenant: 'acme' }, true],
    [{ tenant: 'acm*' }, false],
    [{ session: 'chat-7' }, true],
    [{ session: 'chat-?' }, false],
    [{ on_behalf_of: { id: 'alice' } }, true],
    [{ on_behalf_of: { id: 'alice', issuer: 'https://id.example.com' } }, true],
    [{ on_behalf_of: { id: 'alice', issuer: 'https://other.example.com' } }, false],
    [{ on_behalf_of: { id: 'ali*' } }, false],
    [{ agent: 'billing-*', tenant: 'acme', session: 'chat-7', action: '*', on_behalf_of: { id: 'alice' } }, true],
    [{ agent: 'billing-*', tenant: 'other' }, false],
  ])('%j: %s', (scope, isCovered) => {
    expect(covers(scope, call)).toBe(isCovered)
  })

  test.each<StopScope>([
    { tenant: 'acme' },
    { session: 'chat-7' },
    { on_behalf_of: { id: 'alice' } },
    { agent: '*', tenant: 'acme' },
  ])('what the call does not have does not match: %j', (scope) => {
    expect(covers(scope, { ...call, authority: null })).toBe(false)
    expect(covers(scope, { ...call, authority: { delegation: [{ id: 'alice' }] } })).toBe(false)
  })

  it('a character outside the basic plane is one character', () => {
    expect(covers({ agent: '?' }, { ...call, agentId: '😀' })).toBe(true)
    expect(covers({ agent: '??' }, { ...call, agentId: '😀' })).toBe(false)
  })
})
