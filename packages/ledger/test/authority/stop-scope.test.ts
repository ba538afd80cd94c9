import { describe, expect, it, test } from 'vitest'
import {
  covers,
  isSameScope,
  isStopScope,
  normalScope,
  type StopScope,
  scopeText,
} from '../../src/authority/stop-scope.js'

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
  test.each<[unknown, boolean]>([
    [{ all: true }, true],
    [{ agent: 'a' }, true],
    [{ agent: 'a', action: '*', tenant: 't', session: 's', on_behalf_of: { id: 'u', issuer: 'i' } }, true],
    [{ session: 'x'.repeat(256) }, true],
    [{}, false],
    [null, false],
    [[], false],
    ['all', false],
    [{ all: false }, false],
    [{ all: true, agent: 'a' }, false],
    [{ agent: '' }, false],
    [{ agent: 'x'.repeat(257) }, false],
    [{ agent: 'a', region: 'eu' }, false],
    [{ agent: ['a'] }, false],
    [{ tenant: null }, false],
    [{ on_behalf_of: 'alice' }, false],
    [{ on_behalf_of: {} }, false],
    [{ on_behalf_of: { id: 'a\nb' } }, false],
    [{ on_behalf_of: { id: 'a', issuer: '' } }, false],
    [{ on_behalf_of: { id: 'a', type: 'user' } }, false],
    [JSON.parse('{"__proto__":{"all":true}}'), false],
  ])('%j: %s', (scope, isScope) => {
    expect(isStopScope(scope)).toBe(isScope)
  })

  it('is one scope in any spelling and in any order of its members', () => {
    expect(isSameScope({ tenant: 'a', agent: 'é' }, { agent: 'e\u0301', tenant: 'a' })).toBe(true)
    expect(isSameScope({ agent: 'a' }, { agent: 'a', tenant: 'a' })).toBe(false)
    expect(isSameScope({ on_behalf_of: { id: 'a' } }, { on_behalf_of: { id: 'a', issuer: 'i' } })).toBe(false)
    expect(normalScope({ all: true })).toEqual({ all: true })
  })

  it('is told in words', () => {
    expect(scopeText({ all: true })).toBe('all calls')
    expect(scopeText({ tenant: 'acme', agent: 'b*', on_behalf_of: { id: 'alice', issuer: 'i' } })).toBe(
      'agent b*, on behalf of alice (issuer i), tenant acme',
    )
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
