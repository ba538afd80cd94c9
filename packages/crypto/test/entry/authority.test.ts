import { describe, expect, it } from 'vitest'
import { authorityMisfit } from '../../src/entry/authority.js'

const KEY = 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs'
const alice = { id: 'alice', type: 'user', assurance: 'asserted' }
const checked = { ...alice, issuer: 'https://id.example', assurance: 'verified', evidence: { kind: 'jwt', key: KEY } }
const long = 'x'.repeat(256)

describe('authorityMisfit', () => {
  it.each([
    ['a subject', { on_behalf_of: alice }],
    ['a service with an issuer', { on_behalf_of: { ...alice, type: 'service', issuer: 'https://id.example' } }],
    ['a verified subject', { on_behalf_of: checked }],
    ['a tenant and a session', { tenant: 'acme', session: long }],
    ['a session that looks like any other word', { session: 'null' }],
    ['a delegation of one', { delegation: [{ id: 'agent-1' }] }],
    ['a delegation of eight', { delegation: Array.from({ length: 8 }, (_, n) => ({ id: `a${n}`, issuer: long })) }],
    ['all members', { on_behalf_of: checked, tenant: 'acme', session: 's', delegation: [{ id: 'a' }] }],
    ['text in any script', { tenant: 'Müller 日本', on_behalf_of: { ...alice, id: 'josé' } }],
  ])('takes %s', (_, authority) => expect(authorityMisfit(authority)).toBeNull())

  it.each<[string, unknown, string]>([
    ['nothing', {}, 'authority'],
    ['null', null, 'authority'],
    ['a list', [], 'authority'],
    ['a text', 'alice', 'authority'],
    ['an unknown member', { role: 'admin' }, 'authority.role'],
    ['a member of the prototype of all objects', JSON.parse('{"__proto__":{"tenant":"a"}}'), 'authority.__proto__'],
    ['an empty tenant', { tenant: '' }, 'authority.tenant'],
    ['a long tenant', { tenant: `${long}x` }, 'authority.tenant'],
    ['a session that is a number', { session: 7 }, 'authority.session'],
    ['a session that is null', { session: null }, 'authority.session'],
    ['an empty delegation', { delegation: [] }, 'authority.delegation'],
    ['a delegation of nine', { delegation: Array(9).fill({ id: 'a' }) }, 'authority.delegation'],
    ['a delegate without an id', { delegation: [{ id: 'a' }, { issuer: 'i' }] }, 'authority.delegation[1].id'],
    ['a delegate with another member', { delegation: [{ id: 'a', sub: 'b' }] }, 'authority.delegation[0].sub'],
    ['a delegate that is a text', { delegation: ['a'] }, 'authority.delegation[0]'],
    ['a subject without an id', { on_behalf_of: { type: 'user', assurance: 'asserted' } }, 'authority.on_behalf_of.id'],
    ['an id with a line feed', { on_behalf_of: { ...alice, id: 'al\nice' } }, 'authority.on_behalf_of.id'],
    ['an id with a C1 control', { on_behalf_of: { ...alice, id: 'al\u0085ice' } }, 'authority.on_behalf_of.id'],
    ['an id with DEL', { delegation: [{ id: 'a\u007f' }] }, 'authority.delegation[0].id'],
    ['an issuer with an escape', { on_behalf_of: { ...alice, issuer: '\u001b[2J' } }, 'authority.on_behalf_of.issuer'],
    ['a type of another kind', { on_behalf_of: { ...alice, type: 'agent' } }, 'authority.on_behalf_of.type'],
    ['no assurance', { on_behalf_of: { id: 'alice', type: 'user' } }, 'authority.on_behalf_of.assurance'],
    ['a reserved assurance', { on_behalf_of: { ...alice, assurance: 'channel' } }, 'authority.on_behalf_of.assurance'],
    [
      'a verified subject without issuer',
      { on_behalf_of: { ...checked, issuer: undefined } },
      'authority.on_behalf_of.issuer',
    ],
    [
      'a verified subject without evidence',
      { on_behalf_of: { ...checked, evidence: undefined } },
      'authority.on_behalf_of.evidence',
    ],
    [
      'evidence with a token',
      { on_behalf_of: { ...checked, evidence: { kind: 'jwt', key: KEY, token: 't' } } },
      'authority.on_behalf_of.evidence.token',
    ],
    [
      'evidence of another kind',
      { on_behalf_of: { ...checked, evidence: { kind: 'saml', key: KEY } } },
      'authority.on_behalf_of.evidence.kind',
    ],
    [
      'a thumbprint with stray bits',
      { on_behalf_of: { ...checked, evidence: { kind: 'jwt', key: `${KEY.slice(0, -1)}t` } } },
      'authority.on_behalf_of.evidence.key',
    ],
    [
      'a thumbprint with padding',
      { on_behalf_of: { ...checked, evidence: { kind: 'jwt', key: `${KEY}=` } } },
      'authority.on_behalf_of.evidence.key',
    ],
  ])('refuses %s', (_, authority, path) => expect(authorityMisfit(authority)).toBe(path))
})
