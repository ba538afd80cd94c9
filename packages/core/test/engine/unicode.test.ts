// Tests that the policy, the approver, the ledger and the function receive the same characters. Otherwise, the call is
// refused.
import { describe, expect, it } from 'vitest'
import { MemoryBudget } from '../../src/budget/memory.js'
import { ParametersError } from '../../src/error.js'
import { ALLOW, ASK, boundary, DENY, expectDenied, policyOf, rejection } from '../fixtures/boundary.js'
import { NOT_NFC } from '../fixtures/unicode-texts.js'

const NFD = 'cafe\u0301'
const NFC = 'caf\u00e9'

const PLACES: readonly (readonly [name: string, argsWith: (text: string) => unknown[]])[] = [
  ['a positional argument', (text) => ['x', text]],
  ['a named argument', (text) => [{ path: text }]],
  ['the name of an argument', (text) => [{ [text]: 1 }]],
  ['a member of a member', (text) => [{ a: { b: [{ c: text }] } }]],
  ['the name of a nested member', (text) => [{ a: [{ [text]: null }] }]],
  ['an array in an array', (text) => [[[text]]]],
  ['a key of a Map', (text) => [new Map([[text, 1]])]],
  ['a value of a Map', (text) => [{ m: new Map([[1, { deep: text }]]) }]],
  ['an object as a key of a Map', (text) => [new Map([[{ k: text }, 1]])]],
  ['a member of a Set', (text) => [{ s: new Set([text]) }]],
  ['an array in a Set', (text) => [new Set([[text]])]],
  ['a regular expression', (text) => [{ pattern: new RegExp(text.replace('?', '')) }]],
  ['an object without prototype', (text) => [Object.assign(Object.create(null), { t: text })]],
  ['a value under a secret name', (text) => [{ password: text }]],
]

describe('arguments that are not in NFC', () => {
  it.each(NOT_NFC)('%s is refused, at every place', async (_, given, normal) => {
    expect(given.normalize('NFC')).toBe(normal)
    for (const [place, argsWith] of PLACES) {
      let asked = 0
      const b = boundary(
        policyOf(() => {
          asked += 1
          return ALLOW
        }),
        { onConcealed: 'allow' },
      )
      const error = await rejection(b.tool(...argsWith(given)))
      expect(error, place).toBeInstanceOf(ParametersError)
      expect(asked, place).toBe(0)
      await expectDenied(b, error, 'PARAMETERS_INVALID')
      expect(await b.tool(...argsWith(normal)), place).toBe('done')
    }
  })

  it.each(NOT_NFC)('%s: with `normalize` everybody gets the NFC copy', async (_, given, normal) => {
    for (const [place, argsWith] of PLACES) {
      const seen: unknown[] = []
      const b = boundary(
        policyOf((context) => {
          seen.push([context.args, context.kwargs])
          return ASK
        }),
        {
          unicode: 'normalize',
          onConcealed: 'allow',
          approver: {
            approve: ({ args, kwargs }) => {
              seen.push([args, kwargs])
              return true
            },
          },
        },
      )
      expect(await b.tool(...argsWith(given)), place).toBe('done')
      expect(b.tool.received, place).toEqual([argsWith(normal)])
      const parameters = (await b.entries())[0]?.parameters
      expect(seen, place).toEqual([
        [parameters?.args, parameters?.kwargs],
        [parameters?.args, parameters?.kwargs],
      ])
    }
  })

  it.each([
    ['an object', { [NFD]: 1, [NFC]: 2 }],
    ['an object, the other way round', { [NFC]: 1, [NFD]: 2 }],
    ['a nested object', { a: [{ '\u212b': 1, '\u00c5': 2, 'A\u030a': 3 }] }],
    [
      'a Map',
      new Map([
        [NFC, 1],
        [NFD, 2],
      ]),
    ],
    ['a Set', new Set([NFD, NFC])],
  ])('two names in %s that become one are refused, with `normalize` too', async (_, value) => {
    for (const unicode of ['refuse', 'normalize'] as const) {
      const b = boundary(ALLOW, { unicode })
      await expectDenied(b, await rejection(b.tool({ value })), 'PARAMETERS_INVALID')
    }
  })

  it('a rule for K-1 does not let KELVIN SIGN-1 run', async () => {
    const onlyK1 = policyOf(({ kwargs }) => (kwargs.account === 'K-1' ? ALLOW : DENY))
    const b = boundary(onlyK1)
    await expectDenied(b, await rejection(b.tool({ account: '\u212a-1' })), 'PARAMETERS_INVALID')
    const normalizing = boundary(onlyK1, { unicode: 'normalize' })
    await normalizing.tool({ account: '\u212a-1' })
    expect(normalizing.tool.received).toEqual([[{ account: 'K-1' }]])
  })

  it('the message names the place and not the text', async () => {
    const b = boundary(ALLOW)
    const error = await rejection(b.tool({ order: { path: NFD } }))
    expect(String(error)).toContain('`args[0].order.path` contains text that is not in Unicode NFC')
    expect(String(error)).not.toContain(NFD)
  })

  it('changed while the approval was open, into another spelling of the same text: the copy runs', async () => {
    const order = { name: NFC }
    const b = boundary(ASK, {
      unicode: 'normalize',
      approver: {
        approve: () => {
          order.name = NFD
          return true
        },
      },
    })
    await b.tool(order)
    expect(b.tool.received).toEqual([[{ name: NFC }]])
  })

  it('metadata, reasons and results are not refused', async () => {
    const b = boundary({ decision: 'allow', reason: NFD })
    const returned = await b.engine.execute(async () => NFD, [], { action: 'tool', metadata: { label: NFD } })
    expect(returned).toBe(NFD)
    expect((await b.entries())[0]).toMatchObject({ metadata: { label: NFC }, decision: { reason: NFC } })
    expect(await b.report()).toMatchObject({ ok: true })
  })

  it.each(['nfc', true, ''])('`unicode: %j` is a TypeError', (unicode) => {
    expect(() => boundary(ALLOW, { unicode: unicode as 'refuse' })).toThrow(TypeError)
  })
})

describe('names that are not in NFC', () => {
  it('a policy that denies the NFC name denies every spelling of it', async () => {
    const seen: string[] = []
    const policy = policyOf(({ action, agentId }) => {
      seen.push(action, agentId)
      return action === NFC ? DENY : ALLOW
    })
    const b = boundary(policy, { agentId: NFD })
    const named = { [NFD]: async () => 'ran' }[NFD] as () => Promise<string>
    const calls = [
      () => b.engine.execute(async () => 'ran', [], { action: NFD }),
      () => b.engine.execute(named, []),
      () => b.engine.guard(named)(),
      () => b.engine.guard(async () => 'ran', { action: NFD })(),
    ]
    for (const call of calls) expect(await rejection(call())).toMatchObject({ code: 'POLICY_DENY_HIGH_RISK' })
    expect(await b.engine.authorize({ action: NFD })).toMatchObject({ code: 'POLICY_DENY_HIGH_RISK' })
    expect(new Set(seen)).toEqual(new Set([NFC]))
    expect(new Set((await b.entries()).map(({ action, agent_id }) => `${action} ${agent_id}`))).toEqual(
      new Set([`${NFC} ${NFC}`]),
    )
  })

  it('an approver is asked about the NFC name', async () => {
    const seen: string[] = []
    const approver = {
      approve: ({ action, agentId }: { action: string; agentId: string }) => {
        seen.push(action, agentId)
        return true
      },
    }
    const b = boundary(ASK, { agentId: '\u212a', approver })
    await b.engine.execute(async () => 1, [], { action: '\u212b' })
    expect(seen).toEqual(['\u00c5', 'K'])
  })

  it('a budget counts all spellings of a name together, in its limits too', async () => {
    const budget = new MemoryBudget({ windowMs: 1000, perTool: { [NFD]: 2 } })
    const b = boundary(ALLOW, { budget })
    await b.engine.execute(async () => 1, [], { action: NFD })
    await b.engine.execute(async () => 1, [], { action: NFC })
    const third = await rejection(b.engine.execute(async () => 1, [], { action: NFD }))
    expect(third).toMatchObject({ code: 'BUDGET_EXCEEDED_TOOL_RATE' })
    expect(() => new MemoryBudget({ windowMs: 1000, perTool: { [NFD]: 1, [NFC]: 2 } })).toThrow(TypeError)
  })
})

describe('an object with the single member `_sd_digest` (reserved in the record)', () => {
  const reserved = { _sd_digest: '8Q5hGGQggDbdOZgad2WXNHt1b93p82' }
  it.each<[string, unknown[]]>([
    ['all arguments', [reserved]],
    ['one named argument', [{ iban: reserved }]],
    ['one positional argument', ['x', reserved]],
    ['a member further down', [{ customer: { ids: [reserved] } }]],
    ['any value under it', [{ iban: { _sd_digest: undefined } }]],
    ['next to what is not recorded', [{ iban: { ...reserved, [Symbol('s')]: 1 } }]],
    ['a member that a Map holds', [new Map([['iban', reserved]])]],
  ])('%s: refused', async (_, args) => {
    const b = boundary(ALLOW)
    await expectDenied(b, await rejection(b.tool(...args)), 'PARAMETERS_INVALID')
  })

  it('with other members next to it, or in metadata, it is data', async () => {
    const b = boundary(ALLOW)
    await b.tool({ iban: { ...reserved, note: 'x' } })
    await b.engine.execute(async () => 1, [], { action: 'tool', metadata: { iban: reserved } })
    expect(await b.report()).toMatchObject({ ok: true, decisions: 2 })
  })
})
