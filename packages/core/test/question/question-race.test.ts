// Tests the loser of a race for the decision of a question: another writer appends the decision while the approver is
// asked. The ledger takes one decision, and the budget follows the recorded decision.
import type { EntryDraft } from '@sudoagent/ledger'
import { formatTimestamp } from '@sudoagent/ledger/entry'
import { SqliteLedger } from '@sudoagent/ledger/sqlite'
import { describe, expect, it } from 'vitest'
import type { ApprovalRequest } from '../../src/approval/approval.js'
import { MemoryBudget } from '../../src/budget/memory.js'
import { rejection } from '../fixtures/boundary.js'
import { asking, decisionsOf, kindsOf, shelf } from '../fixtures/questions.js'

/** The decision of a question, as another process that has the approval request writes it. */
function decisionOf(request: ApprovalRequest, effect: 'allow' | 'deny'): EntryDraft {
  const { approvalId, binding, action, agentId, args, kwargs, asked, decision } = request
  if (asked === undefined || decision === undefined) return expect.unreachable()
  const { requestId, policyHash, decisionHash } = binding
  return {
    action,
    actor: { principal: agentId, source: decision.source },
    agent_id: agentId,
    approval: {
      approval_id: approvalId,
      state: effect === 'allow' ? 'approved' : 'denied',
      approver_id: 'bob',
      created_at: formatTimestamp(request.createdAt),
      resolved_at: formatTimestamp(request.createdAt),
      expires_at: formatTimestamp(request.expiresAt),
      binding: { request_id: requestId, policy_hash: policyHash, decision_hash: decisionHash },
      redacted: asked.redacted,
      registry: null,
      requirement: asked.requirement,
      statements: [],
    },
    budget: null,
    created_at: decision.decisionAt,
    decision: {
      effect,
      reason: 'by bob',
      reason_code: effect === 'allow' ? 'POLICY_REQUIRE_APPROVAL_HIGH_VALUE' : 'APPROVAL_DENIED',
      decision_hash: decisionHash,
      policy_hash: policyHash,
      policy_id: asked.policyId,
      policy_version: asked.policyVersion,
    },
    event: 'decision',
    metadata: {},
    parameters: { args, kwargs },
    request_id: requestId,
  }
}

/** One call whose approver gives `answer` after another writer has appended the decision `recorded`. */
async function lose(recorded: 'allow' | 'deny', answer: boolean) {
  const place = shelf('sqlite')
  const budget = new MemoryBudget({ windowMs: 60_000, perAgent: 1 })
  const a = asking(
    place,
    async (request) => {
      const other = SqliteLedger.open(place.path)
      await other.append(decisionOf(request, recorded))
      await other.close()
      return answer
    },
    { budget },
  )
  const error = await rejection(a.tool({ amount: 1 }))
  const left = await budget.reserve({ requestId: 'next', agentId: 'agent', action: 'tool', cost: 1 }, new Date())
  return { place, a, error, isGivenBack: left.allowed }
}

describe('another writer has recorded the decision of the question', () => {
  it.each([
    ['allow', true, 'APPROVAL_ALREADY_USED', false],
    ['deny', true, 'APPROVAL_ALREADY_USED', true],
    ['allow', false, 'APPROVAL_ALREADY_USED', false],
    ['deny', false, 'APPROVAL_DENIED', true],
  ] as const)('%s, then the approver answers %s: %s', async (recorded, answer, code, givenBack) => {
    const { place, a, error, isGivenBack } = await lose(recorded, answer)
    expect(error).toMatchObject({ code, denial: { retryable: false } })
    expect(isGivenBack).toBe(givenBack)
    expect(a.runs()).toBe(0)
    const lines = await place.lines()
    expect(kindsOf(lines)).toEqual(['genesis', 'asked', recorded])
    expect(decisionsOf(lines)[0]?.approval).toMatchObject({ approver_id: 'bob' })
    expect(await place.report()).toMatchObject({ ok: true, decisions: 1, questions: { open: 0 } })
  })

  it('two engines decide one question at once: one decision is recorded', async () => {
    for (let round = 0; round < 5; round += 1) {
      const place = shelf('sqlite')
      const other = SqliteLedger.open(place.path)
      let racing: Promise<unknown> = Promise.resolve()
      const a = asking(place, (request) => {
        racing = other.append(decisionOf(request, 'deny')).catch(({ code }: { code: string }) => code)
        return true
      })
      const told = await a.tool().catch(({ code }: { code: string }) => code)
      const lost = await racing
      expect(told === 'done').toBe(lost === 'QUESTION_CLOSED')
      if (told !== 'done') expect(told).toBe('APPROVAL_ALREADY_USED')
      await other.close()
      expect(a.runs()).toBe(told === 'done' ? 1 : 0)
      expect(await place.report()).toMatchObject({ ok: true, decisions: 1 })
    }
  })
})
