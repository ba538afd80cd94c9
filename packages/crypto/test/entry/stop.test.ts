import { describe, expect, it, test } from 'vitest'
import { isResume, isStop, isStopScope, scopeText, stopRows } from '../../src/entry/stop.js'

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
    [{ tenant: undefined }, false],
    [{ on_behalf_of: { id: 'a', issuer: undefined } }, false],
    [{ on_behalf_of: 'alice' }, false],
    [{ on_behalf_of: {} }, false],
    [{ on_behalf_of: { id: 'a\nb' } }, false],
    [{ on_behalf_of: { id: 'a', issuer: '' } }, false],
    [{ on_behalf_of: { id: 'a', type: 'user' } }, false],
    [JSON.parse('{"__proto__":{"all":true}}'), false],
  ])('%j: %s', (scope, isScope) => {
    expect(isStopScope(scope)).toBe(isScope)
  })

  it('is told in words', () => {
    expect(scopeText({ all: true })).toBe('all calls')
    expect(scopeText({ tenant: 'acme', agent: 'b*', on_behalf_of: { id: 'alice', issuer: 'i' } })).toBe(
      'agent b*, on behalf of alice (issuer i), tenant acme',
    )
  })
})

const NOTE = { stop_id: '00000000-0000-4000-8000-000000000001', reason: '', by: 'alice' }

describe('a stop and a resume', () => {
  test.each<[object, boolean]>([
    [{}, true],
    [{ reason: 'x'.repeat(1_024), by: 'b'.repeat(256) }, true],
    [{ later: 'a member of a later version' }, true],
    [{ stop_id: '00000000-0000-1000-8000-000000000001' }, false],
    [{ stop_id: 7 }, false],
    [{ reason: 'x'.repeat(1_025) }, false],
    [{ reason: null }, false],
    [{ by: '' }, false],
    [{ by: 'b'.repeat(257) }, false],
    [{ later: 'x'.repeat(64 * 1024) }, false],
    [{ later: Number.NaN }, false],
  ])('%#: %s', (change, fits) => {
    expect(isResume({ ...NOTE, ...change })).toBe(fits)
    expect(isStop({ ...NOTE, scope: { all: true }, ...change })).toBe(fits)
    expect(isStop({ ...NOTE, scope: {}, ...change })).toBe(false)
  })

  it('are rows for people', () => {
    expect(stopRows({ kind: 'stop', ...NOTE, scope: { agent: 'b*' } })).toEqual([
      ['covers', 'agent b*'],
      ['reason', ''],
      ['by', 'alice'],
      ['stop id', NOTE.stop_id],
    ])
    expect(stopRows({ kind: 'resume', ...NOTE })).toHaveLength(3)
  })
})
