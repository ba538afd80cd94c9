// Tests that an approver is shown the values that the hashes of the call cover: the engine's own requests fit, and a
// request of which one value was changed is denied before anybody is asked.
import { sha256Hex } from '@sudoagent/crypto'
import { MemoryLedger } from '@sudoagent/ledger/memory'
import { describe, expect, test } from 'vitest'
import { redactedText, showsBoundCall } from '../../src/approval/shown.js'
import { SudoEngine } from '../../src/engine.js'
import { type ApprovalRequest, ask as askPolicy, type CallOptions } from '../../src/index.js'
import { boundRequestOf, questionOf, requestOf } from '../fixtures/approval.js'
import { ask, FakeTerminal, QUESTION } from '../fixtures/terminal.js'

/** Returns the request that the engine makes for a call, and the decision entry. */
async function requestFor(args: unknown[], options: CallOptions = {}) {
  const ledger = new MemoryLedger()
  let request: ApprovalRequest | undefined
  const sudo = new SudoEngine({
    agentId: 'Bot\u00e9',
    unicode: 'normalize',
    ledger,
    policy: { policyId: 'p', version: '1', evaluate: () => askPolicy('look') },
    approver: {
      approve: (asked: ApprovalRequest) => {
        request = asked
        return true
      },
    },
  })
  await sudo.guard('pay', async () => 'paid', options)(...(args as []))
  const lines: { decision: { decision_hash: string }; event: string }[] = []
  for await (const batch of ledger.reader().batches())
    for (const { bytes } of batch) lines.push(JSON.parse(Buffer.from(bytes).toString()))
  const entry = lines.find(({ event }) => event === 'decision')
  if (request === undefined || entry === undefined) throw new Error('nothing was asked')
  return { request, entry }
}

describe('a request of the engine shows the call that its hashes cover', () => {
  test.each<[string, unknown[], CallOptions]>([
    ['plain values', [{ amount: 5, note: 'n' }], {}],
    ['nothing', [], {}],
    ['converted values', [new Date(0), new Map([['a', 1n]]), -0, undefined, new Uint8Array(3), () => 1, 2 ** 60], {}],
    ['text that is not in NFC', ['e\u0301', { 'e\u0301': 1 }], {}],
    ['secrets', [{ password: 'hunter2', amount: 1 }], {}],
    ['an authority', [1], { onBehalfOf: { id: 'e\u0301' }, tenant: 'acme', delegation: [{ id: 'a' }] }],
  ])('%s', async (_name, args, options) => {
    const { request, entry } = await requestFor(args, options)
    expect(request.decision).toBeDefined()
    expect(request.binding.decisionHash).toBe(entry.decision.decision_hash)
    expect(showsBoundCall(request)).toBe(true)
  })
})

/** Each value that is shown, changed. */
const CHANGES: [string, Partial<ApprovalRequest>][] = [
  ['action', { action: 'refund ' }],
  ['agent', { agentId: 'support-bot2' }],
  ['arguments', { kwargs: { amount: 5 } }],
  ['positional arguments', { args: [1] }],
  ['arguments without a canonical form', { kwargs: { amount: Number.NaN } }],
  ['request id', { approvalId: 'r2' }],
  ['authority', { authority: { tenant: 'other' } }],
  ['policy', { binding: { ...boundRequestOf('r1').binding, policyHash: sha256Hex('other') } }],
]

describe('a request that shows another call', () => {
  const bound = boundRequestOf('r1', { authority: { tenant: 'acme' } })

  test.each(CHANGES)('%s: is not asked at the terminal', async (_name, change) => {
    const request: ApprovalRequest = { ...bound, ...change }
    expect(showsBoundCall(request)).toBe(false)
    const terminal = new FakeTerminal()
    expect(await ask(terminal, request)).toEqual({
      approved: false,
      reason: 'the request does not show the call that its hashes cover',
    })
    expect(terminal.shown).toBe('')
  })

  test('an authority that was left out', async () => {
    const { authority: _, ...request } = bound
    expect(showsBoundCall(request)).toBe(false)
  })

  test('unchanged, it is asked', async () => {
    const terminal = new FakeTerminal()
    const answer = ask(terminal, bound)
    await terminal.sees(QUESTION)
    terminal.type('y\n')
    expect(await answer).toMatchObject({ approved: true })
  })

  test('from a store that does not keep all values, it cannot be checked', () => {
    expect(showsBoundCall(requestOf('r1'))).toBe(true)
  })

  test('with a requirement that its hash does not cover, or without the values that the hashes cover', () => {
    const question = questionOf('q1')
    const asked = question.asked ?? expect.unreachable()
    expect(showsBoundCall(question)).toBe(true)
    const { decision: _, ...undecided } = question
    const others = [
      undecided,
      { ...question, asked: { ...asked, requirement: { ...asked.requirement, rule: 'other' } } },
      { ...question, asked: { ...asked, requirementHash: sha256Hex('other') } },
      { ...question, kwargs: {} },
    ]
    for (const other of others) expect(showsBoundCall(other)).toBe(false)
  })

  test('with a decision of another shape, it cannot be made', () => {
    const decision = { decisionAt: 'x', source: 'node', authorityHash: null }
    for (const bad of [{}, { ...decision, authorityHash: 'x' }, { ...decision, more: 1 }, { ...decision, source: '' }])
      expect(() => requestOf('r1', { decision: bad as never })).toThrow(TypeError)
  })
})

test('the number of redacted values has a plural', () => {
  expect([0, 1, 2].map(redactedText)).toEqual([
    '0 values are not shown as the call gets them',
    '1 value is not shown as the call gets it',
    '2 values are not shown as the call gets them',
  ])
})
