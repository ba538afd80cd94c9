// Tests prototype pollution: a member is added to `Object.prototype`, as by an unsafe JSON merge elsewhere in the
// process. Such a member must not change a decision, an entry or a result.
import type { CallEntry } from '@sudoagent/ledger/entry'
import { afterEach, describe, expect, it } from 'vitest'
import { ImmediateApprover } from '../src/approval/immediate.js'
import { MemoryApprovalStore } from '../src/approval/memory-store.js'
import { PollingApprover } from '../src/approval/polling.js'
import { MemoryBudget } from '../src/budget/memory.js'
import { SudoEngine } from '../src/engine.js'
import { partsFromEnv } from '../src/from-env.js'
import { ALLOW, ASK, boundary, DENY, policyOf, rejection } from './fixtures/boundary.js'

/** The names of members of public options, of results from untrusted code, and of internal objects. */
const NAMES = [
  // engine and call options
  ...['policy', 'agentId', 'ledger', 'approver', 'approvalStore', 'budget', 'auditLog', 'redaction', 'unicode'],
  ...[
    'approvalTtlMs',
    'timeoutMs',
    'onError',
    'clock',
    'generateId',
    'action',
    'args',
    'budgetCost',
    'metadata',
    'signal',
  ],
  // redaction, budgets, approvers, environment
  ...['keys', 'values', 'windowMs', 'perAgent', 'perTool', 'perAgentDefault', 'perToolDefault', 'key', 'cost'],
  ...[
    'approverId',
    'input',
    'output',
    'maxRows',
    'store',
    'intervalMs',
    'busyTimeoutMs',
    'env',
    'SUDOAGENT_AUTO_APPROVE',
  ],
  // policies, and the results of policies, approvers, stores and ledgers
  ...['policyId', 'version', 'policyHash', 'evaluate', 'decision', 'reason', 'reasonCode', 'approved', 'allowed'],
  ...['binding', 'scope', 'limit', 'used', 'moreAtMs', 'state', 'note', 'approvalId', 'resolvedAt', 'consumedAt'],
  ...['position', 'entryHash', 'requestId', 'decisionHash', 'status', 'error', 'effect', 'chargedAtMs'],
  // values passed between internal steps
  ...['kind', 'code', 'approval', 'letThrough', 'cause', 'once', 'signer', 'origin', 'outcome', 'toJSON'],
]

const VALUES: readonly unknown[] = [
  true,
  'success',
  { allowed: true, approved: true, decision: 'allow', state: 'approved' },
]

const polluted = new Set<string>()
function pollute(name: string, value: unknown): void {
  polluted.add(name)
  ;(Object.prototype as Record<string, unknown>)[name] = value
}
function clean(): void {
  for (const name of polluted) delete (Object.prototype as Record<string, unknown>)[name]
  polluted.clear()
}
afterEach(clean)

const yes = new ImmediateApprover(true, { approverId: 'desk' })
const budget = () => new MemoryBudget({ windowMs: 60_000, perAgent: 1 })

/**
 * Scenarios that run with a polluted prototype. Each scenario returns a description of the decision, the entries and
 * the result, without times and IDs.
 */
const SCENARIOS: readonly (readonly [name: string, run: () => Promise<unknown>])[] = [
  ['allowed', () => told(boundary(ALLOW), 1)],
  ['denied', () => told(boundary(DENY), 1)],
  ['approved', () => told(boundary(ASK, { approver: yes }), 1)],
  ['refused', () => told(boundary(ASK, { approver: new ImmediateApprover(false) }), 1)],
  ['nobody there to ask', () => told(boundary(ASK, { approver: { approve: () => ({}) as never } }), 1)],
  [
    'nobody answers in the store',
    () => told(boundary(ASK, { approver: new PollingApprover({ intervalMs: 10 }), approvalTtlMs: 2 }), 1),
  ],
  ['a policy that answers nothing', () => told(boundary(policyOf(() => ({}) as never)), 1)],
  ['a policy that gives half an answer', () => told(boundary(policyOf(() => ({ reason: 'x' }) as never)), 1)],
  ['a budget of one', () => told(boundary(ALLOW, { budget: budget() }), 3)],
  ['a budget that answers nothing', () => told(boundary(ALLOW, { budget: mute(budget()) }), 1)],
  [
    'an approval store that answers nothing',
    () => told(boundary(ASK, { approver: yes, approvalStore: muteStore() }), 1),
  ],
  [
    'a ledger that answers nothing',
    async () => {
      const b = boundary(ALLOW)
      const ledger = { append: async () => ({}) as never, close: async () => {} }
      const engine = new SudoEngine({ policy: policyOf(() => ALLOW), agentId: 'agent', ledger })
      const error = await rejection(engine.execute(async () => 'ran', [], { action: 'tool' }))
      return [(error as { code: string }).code, b.tool.runs()]
    },
  ],
  [
    'authorize without arguments, and an outcome of nothing',
    async () => {
      const b = boundary(ALLOW)
      const authorization = await b.engine.authorize({ action: 'tool' })
      if (authorization.status !== 'allowed') return authorization.code
      const told = await rejection(b.engine.record(authorization, {} as never))
      return [authorization.args, String(told).slice(0, 9), (await b.entries()).map(({ parameters }) => parameters)]
    },
  ],
  [
    'a call that does not wait, and is resumed',
    async () => {
      const store = new MemoryApprovalStore()
      const b = boundary(ASK, { approvalStore: store })
      const call = { action: 'tool', args: [{ amount: 5 }] }
      const asked = await b.engine.authorize(call, { wait: false })
      const unanswered = await b.engine.resume(asked.requestId, call, { wait: false })
      await store.resolve(asked.requestId, { state: 'approved', approverId: 'alice' }, new Date())
      const again = await b.engine.authorize(call, { wait: false })
      const used = await b.engine.resume(asked.requestId, call)
      const codeOf = (answer: object) => [
        Reflect.get(answer, 'status'),
        Object.hasOwn(answer, 'code') ? Reflect.get(answer, 'code') : null,
      ]
      return [asked, unanswered, again, used].map(codeOf)
    },
  ],
  [
    'an engine without options',
    async () => String(await rejection(Promise.resolve().then(() => new SudoEngine({} as never)))),
  ],
  [
    'the environment',
    async () => {
      const b = boundary(ALLOW)
      const parts = await partsFromEnv({ policy: policyOf(() => ASK), agentId: 'x', ledger: b.ledger, env: {} })
      return Object.hasOwn(parts, 'approver')
    },
  ],
]

function mute(store: MemoryBudget): MemoryBudget {
  store.reserve = async () => ({}) as never
  // The stub accepts every charge, because the real `commit` refuses a charge that was never reserved.
  store.commit = async () => {}
  return store
}

function muteStore(): MemoryApprovalStore {
  const store = new MemoryApprovalStore()
  store.consume = async () => ({}) as never
  return store
}

async function told(b: ReturnType<typeof boundary>, calls: number): Promise<unknown> {
  const results: unknown[] = []
  for (let n = 0; n < calls; n++) {
    const [ended] = await Promise.allSettled([b.tool({ amount: 5 })])
    results.push(ended.status === 'fulfilled' ? ended.value : (ended.reason as { code?: unknown }).code)
  }
  const own = (await b.entries()).map((entry): CallEntry => Object.assign(Object.create(null), entry))
  const entries = own.map(({ event, action, agent_id, parameters, approval, budget, decision }) => [
    event,
    action,
    agent_id,
    parameters,
    [approval?.state, approval?.approver_id, budget?.cost, budget?.budget_key],
    [decision.policy_id, decision.policy_version, decision.reason_code],
  ])
  return [results, b.tool.received, entries, b.faults.length]
}

describe.each(SCENARIOS)('%s', (_, run) => {
  it('whatever is on the prototype of all objects', async () => {
    const clear = JSON.stringify(await run())
    for (const name of NAMES) {
      for (const value of VALUES) {
        pollute(name, value)
        const found = await run().catch((error: unknown) => `threw ${error}`)
        clean()
        expect(JSON.stringify(found), `${name} = ${JSON.stringify(value)}`).toBe(clear)
      }
    }
  })
})

it('all names at once', async () => {
  for (const [, run] of SCENARIOS) {
    const clear = JSON.stringify(await run())
    for (const name of NAMES) if (name !== 'toJSON') pollute(name, true)
    const found = await run()
    clean()
    expect(JSON.stringify(found)).toBe(clear)
  }
})
