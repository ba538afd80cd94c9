import { type Context, createRedactor, MemoryApprovalStore, SudoEngine } from '@sudoagent/core'
import { MemoryLedger } from '@sudoagent/ledger/memory'
import { describe, expect, it, test } from 'vitest'
import { findArguments, isHidden, REDACTED } from '../../src/rule/argument.js'

/** Returns the context that an engine builds for one argument. */
async function contextOf(argument: unknown): Promise<Context> {
  let seen: Context | undefined
  const policy = {
    policyId: 'p',
    evaluate: (context: Context) => {
      seen = context
      return { decision: 'deny', reason: 'r' } as const
    },
  }
  const engine = new SudoEngine({
    policy,
    agentId: 'a',
    ledger: new MemoryLedger(),
    approvalStore: new MemoryApprovalStore(),
  })
  await engine.authorize({ action: 'a', args: [argument] })
  if (seen === undefined) throw new Error('not asked')
  return seen
}

describe('what an engine does not show', () => {
  it('has the mark that is looked for here', () => {
    expect(createRedactor().json('password=hunter2hunter2')).toContain(REDACTED)
  })

  it.each([
    ['undefined', undefined],
    ['a function', () => {}],
    ['a Buffer', Buffer.alloc(16)],
    ['a RegExp', /a/],
    ['an instance', new (class Order {})()],
    ['an instance of a class with another alphabet', new (class Überweisung {})()],
    ['a symbol', Symbol('a')],
    ['a secret', 'Bearer abcdefghijklmnopqrstuvwxyz0123456789'],
  ])('%s is neither a value nor absent', async (_, value) => {
    const { kwargs } = await contextOf({ x: value })
    const [found] = findArguments(kwargs, ['x'])
    expect(found?.kind === 'unclear' || (found?.kind === 'value' && isHidden(found.value))).toBe(true)
  })

  it('an integer beyond a double is unclear to every test, wherever it is; a text of the same digits is not', async () => {
    const digits = '9007199254740993'
    const { kwargs } = await contextOf({
      id: 9007199254740993n,
      list: [1, -(2n ** 63n)],
      deep: { big: 1e30 },
      text: digits,
    })
    for (const path of [['id'], ['list', '1'], ['deep', 'big']])
      expect(findArguments(kwargs, path)).toMatchObject([{ kind: 'unclear' }])
    expect(findArguments(kwargs, ['list', '*'])).toMatchObject([{ kind: 'value', value: 1 }, { kind: 'unclear' }])
    expect(findArguments(kwargs, ['text'])).toMatchObject([{ kind: 'value', value: digits }])
  })

  it.each([
    ['another case', { path: '/srv/a', Path: '/etc/passwd' }],
    ['another case alone', { PATH: '/etc/passwd' }],
    ['full width', { '\uff50ath': '/etc/passwd' }],
    ['a long s', { pa\u017fs: 1, pass: 2 }],
  ])('a name in %s makes the test of it unclear', async (_, args) => {
    const { kwargs } = await contextOf(args)
    const [name = ''] = Object.keys(args).some((key) => key.includes('\u017f')) ? ['pass'] : ['path']
    expect(findArguments(kwargs, [name])).toMatchObject([{ kind: 'unclear' }])
  })

  it('a Map or a Set has no keys that are absent', async () => {
    const { kwargs } = await contextOf({ map: new Map([['a', 1]]), set: new Set(['a']) })
    expect(findArguments(kwargs, ['map', 'a'])).toMatchObject([{ kind: 'unclear' }])
    expect(findArguments(kwargs, ['set', '0'])).toMatchObject([{ kind: 'unclear' }])
  })
})

test.each([
  ['an own key', { a: { b: 1 } }, 'a.b', [{ kind: 'value', value: 1 }]],
  ['an index', { a: [1, 2] }, 'a.1', [{ kind: 'value', value: 2 }]],
  ['an index beyond the end', { a: [1] }, 'a.1', [{ kind: 'absent' }]],
  ['an index with a leading zero', { a: [1, 2] }, 'a.01', [{ kind: 'unclear' }]],
  ['the length of a list', { a: [1] }, 'a.length', [{ kind: 'unclear' }]],
  ['an inherited key', { a: {} }, 'a.constructor', [{ kind: 'absent' }]],
  ['every element', { a: [{ b: 1 }, {}] }, 'a.*.b', [{ kind: 'value', value: 1 }, { kind: 'absent' }]],
  ['nothing', { a: [] }, 'a.*', []],
  ['a star in a star', { a: [[1, 2], [3]] }, 'a.*.*', [1, 2, 3].map((value) => ({ kind: 'value', value }))],
  ['through a redacted value', { a: '[redacted]' }, 'a.b', [{ kind: 'unclear' }]],
])('%s', (_, kwargs, path, found) => {
  expect(findArguments(kwargs, path.split('.'))).toMatchObject(found)
})

it('gives up on more values than anybody can mean', () => {
  const list = Array.from({ length: 200 }, () => Array.from({ length: 200 }, () => 1))
  expect(findArguments({ a: list }, ['a', '*', '*'])).toMatchObject([{ kind: 'unclear' }])
})
