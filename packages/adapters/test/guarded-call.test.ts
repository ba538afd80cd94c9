import {
  AllowAllPolicy,
  type ApprovalAnswer,
  DenyAllPolicy,
  type Engine,
  type Policy,
  SudoEngine,
} from '@sudoagent/core'
import { verify } from '@sudoagent/ledger'
import { MemoryLedger } from '@sudoagent/ledger/memory'
import { describe, expect, it } from 'vitest'
import { authorityIn, guardedCall } from '../src/guarded-call.js'
import { entriesOf } from './entries.js'

function world(policy: Policy = new AllowAllPolicy(), approve: () => ApprovalAnswer = () => false) {
  const ledger = new MemoryLedger()
  return {
    ledger,
    engine: new SudoEngine({ policy, agentId: 'bot', ledger, approver: { approve: async () => approve() } }),
  }
}
const asks: Policy = { policyId: 'asks', evaluate: () => ({ decision: 'require_approval', reason: 'always' }) }

describe('guardedCall', () => {
  it('runs the tool with what was decided on: a copy that nobody else holds', async () => {
    const { engine } = world()
    const input = { amount: 5 }
    const ended = await guardedCall(engine, { tool: 'pay', input }, {}, (decided) => {
      input.amount = 5_000
      return decided
    })
    expect(ended).toEqual({ status: 'ran', output: { amount: 5 } })
  })

  it.each([[{}], [{ status: 'Allowed', args: [1] }], [{ args: [1] }], [[]]])(
    'does not run when an engine answers %j',
    async (answer) => {
      const lying: Engine = {
        authorize: async () => answer as never,
        record: async () => true,
        recordResult: async (_, result) => result,
      }
      let runs = 0
      const call = guardedCall(lying, { tool: 'pay', input: 1 }, {}, () => {
        runs += 1
      })
      await expect(call).rejects.toThrow('neither an authorization nor a denial')
      expect(runs).toBe(0)
    },
  )

  it('does not run when the input changes while somebody is asked', async () => {
    const input = { amount: 5 }
    const { engine, ledger } = world(asks, () => {
      input.amount = 5_000
      return true
    })
    const ended = await guardedCall(engine, { tool: 'pay', input }, {}, () => expect.unreachable())
    expect(ended).toMatchObject({ status: 'denied', code: 'PARAMETERS_CHANGED' })
    expect((await verify(ledger.reader())).ok).toBe(true)
  })

  it('records under the tool’s name, or the action, with the id of the call and the caller’s labels', async () => {
    const { engine, ledger } = world()
    const call = { tool: 'pay', input: { amount: 5 }, callId: 'call_7' }
    await guardedCall(engine, call, undefined, () => 1)
    await guardedCall(engine, call, { action: 'money.pay', metadata: { run: 'r1' } }, () => 1)
    const decisions = (await entriesOf(ledger)).filter(({ event }) => event === 'decision')
    expect(decisions.map(({ action, parameters, metadata }) => ({ action, parameters, metadata }))).toEqual([
      { action: 'pay', parameters: { args: [], kwargs: { amount: 5 } }, metadata: { tool_call_id: 'call_7' } },
      {
        action: 'money.pay',
        parameters: { args: [], kwargs: { amount: 5 } },
        metadata: { run: 'r1', tool_call_id: 'call_7' },
      },
    ])
  })

  it.each([
    [
      'the policy throws',
      world({
        policyId: 'p',
        evaluate: () => {
          throw new Error('/srv/secret')
        },
      }),
      'POLICY_EVALUATION_FAILED',
    ],
    [
      'the approver throws',
      world(asks, () => {
        throw new Error('/srv/secret')
      }),
      'APPROVAL_PROCESS_FAILED',
    ],
    ['the policy denies', world(new DenyAllPolicy()), 'POLICY_DENY_HIGH_RISK'],
  ] as const)('gives the one denial when %s', async (_, { engine, ledger }, code) => {
    const ended = await guardedCall(engine, { tool: 'pay', input: {} }, {}, () => expect.unreachable())
    expect(ended).toMatchObject({ status: 'denied', code })
    expect(JSON.stringify(ended)).not.toContain('secret')
    expect(await verify(ledger.reader())).toMatchObject({ ok: true, decisions: 1, outcomes: 0 })
  })

  it('gives the one denial for arguments that cannot stand on record', async () => {
    const { engine } = world()
    const ended = await guardedCall(engine, { tool: 'pay', input: { amount: Number.NaN } }, {}, () =>
      expect.unreachable(),
    )
    expect(ended).toMatchObject({ status: 'denied', code: 'PARAMETERS_INVALID' })
  })

  it('throws what the tool threw, and a denial of another call is such a thing', async () => {
    const { engine, ledger } = world()
    const inner = world(new DenyAllPolicy()).engine.guard(async function inner() {})
    await expect(guardedCall(engine, { tool: 'outer', input: {} }, {}, () => inner())).rejects.toMatchObject({
      name: 'ApprovalDenied',
    })
    expect((await entriesOf(ledger)).at(-1)).toMatchObject({ event: 'outcome', outcome: { status: 'error' } })
  })

  it('records an error when the output says so', async () => {
    const { engine, ledger } = world()
    const ended = await guardedCall(
      engine,
      { tool: 'pay', input: {} },
      {},
      () => 'failed',
      (output) => output === 'failed',
    )
    expect(ended).toEqual({ status: 'ran', output: 'failed' })
    expect((await entriesOf(ledger)).at(-1)).toMatchObject({ outcome: { status: 'error' } })
  })

  it('gives the output although its outcome could not be recorded', async () => {
    const { engine, ledger } = world()
    const ended = await guardedCall(engine, { tool: 'pay', input: {} }, {}, async () => {
      await ledger.close()
      return 'paid'
    })
    expect(ended).toEqual({ status: 'ran', output: 'paid' })
    expect(engine.outcomeFailures).toBe(1)
  })

  it.each(['of the call', 'of the options'])(
    'a signal %s that was aborted before ends it, and nothing is recorded',
    async (whose) => {
      const { engine, ledger } = world()
      const signal = AbortSignal.abort(new Error('gone'))
      const call = { tool: 'pay', input: {}, ...(whose === 'of the call' ? { signal } : {}) }
      const options = whose === 'of the call' ? {} : { signal }
      await expect(guardedCall(engine, call, options, () => expect.unreachable())).rejects.toThrow('gone')
      expect(await entriesOf(ledger)).toEqual([])
    },
  )

  it.each(['of the call', 'of the options'])(
    'a signal %s that is aborted after the decision still keeps the tool from running',
    async (whose) => {
      const abort = new AbortController()
      const ledger = new MemoryLedger()
      const slow = {
        append: (draft: Parameters<MemoryLedger['append']>[0]) =>
          ledger.append(draft).finally(() => abort.abort(new Error('gone'))),
        close: () => ledger.close(),
      }
      const engine = new SudoEngine({ policy: new AllowAllPolicy(), agentId: 'bot', ledger: slow })
      const { signal } = abort
      const call = { tool: 'pay', input: {}, ...(whose === 'of the call' ? { signal } : {}) }
      const options = whose === 'of the call' ? {} : { signal }
      await expect(guardedCall(engine, call, options, () => expect.unreachable())).rejects.toThrow('gone')
      expect((await entriesOf(ledger)).map(({ event }) => event)).toEqual(['decision', 'outcome'])
    },
  )

  it('throws for misuse, and does not run', async () => {
    const { engine } = world()
    const wrong = { thereIsNoSuchOption: true } as never
    await expect(guardedCall(engine, { tool: 'pay', input: {} }, wrong, () => expect.unreachable())).rejects.toThrow(
      TypeError,
    )
  })
})

describe('the authority in the context of a framework', () => {
  const given = { onBehalfOf: { id: 'alice' }, tenant: 'acme' }

  it.each([
    ['an object', { sudoagent: given, other: 1 }],
    ['an object without a prototype', Object.assign(Object.create(null), { sudoagent: given })],
    ['a map', new Map([['sudoagent', given]])],
    [
      'an instance with the member',
      new (class {
        sudoagent = given
      })(),
    ],
  ])('is found in %s', (_, context) => {
    expect(authorityIn(context)).toEqual(given)
  })

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'sudoagent'],
    ['another object', { user: 'alice' }],
    ['an object whose prototype has it', Object.create({ sudoagent: given })],
    ['an object with a `get` of its own', { get: () => given }],
    ['an empty map', new Map()],
  ])('is not found in %s', (_, context) => {
    expect(authorityIn(context)).toBeUndefined()
  })

  it.each([
    ['a text', 'alice'],
    ['a list', [given]],
    ['an option of another kind', { ...given, requestId: 'mine' }],
    ['an action', { action: 'harmless' }],
    ['a misspelt member', { onBehalf: 'alice' }],
  ])('that is %s is refused, and nothing runs', async (_, sudoagent) => {
    expect(() => authorityIn({ sudoagent })).toThrow(TypeError)
  })

  it('takes precedence over the options, member by member', async () => {
    const { engine, ledger } = world()
    const options = { tenant: 'static', session: 's' }
    await guardedCall(engine, { tool: 'pay', input: {}, authority: given }, options, () => 1)
    expect((await entriesOf(ledger))[0]?.authority).toMatchObject({
      tenant: 'acme',
      session: 's',
      on_behalf_of: { id: 'alice' },
    })
  })
})

describe('holdMs', () => {
  const unanswered = { approve: () => new Promise<never>(() => {}) }
  const waiting = () => {
    const ledger = new MemoryLedger()
    return { ledger, engine: new SudoEngine({ policy: asks, agentId: 'bot', ledger, approver: unanswered }) }
  }
  const pay = { tool: 'pay', input: { amount: 5 } }

  it('ends the wait of a call, and leaves its question open', async () => {
    const { engine, ledger } = waiting()
    const ended = await guardedCall(engine, pay, { holdMs: 20 }, () => expect.unreachable())
    expect(ended).toMatchObject({ status: 'denied', code: 'APPROVAL_PENDING', retryable: true })
    expect((await entriesOf(ledger)).filter(({ event }) => event === 'decision')).toEqual([])
    expect(await engine.questions()).toHaveLength(1)
  })

  it('does not end the wait earlier than the caller does', async () => {
    const { engine } = waiting()
    const signal = AbortSignal.timeout(20)
    const ended = await guardedCall(engine, pay, { holdMs: 60_000, signal }, () => expect.unreachable())
    expect(ended).toMatchObject({ status: 'denied', code: 'CALL_CANCELLED' })
  })

  it('does not reach the tool: only the caller aborts it', async () => {
    const { engine } = world()
    const ended = await guardedCall(engine, pay, { holdMs: 5 }, async (input) => {
      await new Promise((resolve) => setTimeout(resolve, 30))
      return input
    })
    expect(ended).toMatchObject({ status: 'ran' })
  })

  it.each([-1, 0.5, '5', Number.NaN, 2 ** 31])('%j is refused', async (holdMs) => {
    const { engine } = world()
    const call = guardedCall(engine, pay, { holdMs } as never, () => expect.unreachable())
    await expect(call).rejects.toThrow(/holdMs/)
  })
})
