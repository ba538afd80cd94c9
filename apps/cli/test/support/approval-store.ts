// Creates an approval store with pending requests, as an engine leaves it.
import type { ApprovalStore } from '@sudoagent/core'
import { SqliteApprovalStore } from '@sudoagent/core/sqlite'
import { sha256Hex } from '@sudoagent/crypto'
import { type EntryDraft, type LedgerWriter, openLedgerWriter } from '@sudoagent/ledger'
import { formatTimestamp } from '@sudoagent/ledger/entry'
import { makeAskedRequest } from '../../../../packages/core/src/approval/make-asked-request.js'
import { askedCallOf, questionOf } from '../../../../packages/core/test/fixtures/approval.js'
import type { Sandbox } from './sandbox.js'

/** Approval time limit in milliseconds, longer than any test. */
const TTL_MS = 60_000

/** Creates a store with pending requests. Default: one request, `r1`, with hostile text. */
export async function storeWith(
  box: Sandbox,
  kwargs: Record<string, string> = { amount: '5' },
  ids: readonly string[] = ['r1'],
): Promise<void> {
  const store = SqliteApprovalStore.open(box.path('approvals.sqlite'))
  const now = new Date()
  const hash = sha256Hex('x')
  const requestOf = (id: string) => ({
    approvalId: id,
    binding: { requestId: id, policyHash: hash, decisionHash: hash },
    action: 'pay\u001b[2J\u202e',
    agentId: 'bot\naction    harmless',
    args: [],
    kwargs,
    reason: 'because\r\u200b',
    createdAt: now,
    expiresAt: new Date(now.getTime() + TTL_MS),
  })
  for (const id of ids) await store.create(requestOf(id), now)
  await store.close()
}

/** Adds a question that was asked just now. */
export async function storeQuestion(
  box: Sandbox,
  id: string,
  over: Parameters<typeof questionOf>[1] = {},
  ttlMs = TTL_MS,
): Promise<void> {
  const store = SqliteApprovalStore.open(box.path('approvals.sqlite'))
  await store.create(questionOf(id, over, ttlMs, new Date()), new Date())
  await store.close()
}

/**
 * Records a question in a ledger that has entries, and adds it to the store, as an engine does.
 *
 * @returns a function that makes the denial that ends the question
 */
export async function ask(
  box: Sandbox,
  id: string,
  ledger: string,
  options: NonNullable<Parameters<typeof openLedgerWriter>[1]>,
): Promise<(reasonCode: string) => EntryDraft> {
  const writer = await openLedgerWriter(box.path(ledger), options)
  const store = SqliteApprovalStore.open(box.path('approvals.sqlite'))
  try {
    return await askWith(writer, store, id)
  } finally {
    await writer.close()
    await store.close()
  }
}

/** Records a question in an open ledger, and stores its request. @returns makes the denial that ends the question */
export async function askWith(
  writer: Pick<LedgerWriter, 'ask'>,
  store: Pick<ApprovalStore, 'create'>,
  id: string,
): Promise<(reasonCode: string) => EntryDraft> {
  const { binding, action, agentId, args, kwargs, decision, asked } = askedCallOf(id)
  const { policyHash, decisionHash } = binding
  const { requirement, redacted, policyId, policyVersion, metadata } = asked
  const decisionAt = decision?.decisionAt ?? ''
  const facts = { requestId: id, decisionAt, decisionHash, policyHash, action, agentId }
  const entry = await writer.ask?.({ ...facts, requirement, redacted, ttlMs: TTL_MS })
  if (entry === undefined) throw new Error('the ledger does not record questions')
  const times = { createdAt: new Date(entry.recordedAt), expiresAt: new Date(entry.expiresAt) }
  const { ledger: first, position } = entry
  const call = askedCallOf(id, { asked: { ledger: first, position } })
  await store.create(makeAskedRequest(call, times), new Date())
  return (reasonCode) => ({
    event: 'decision',
    request_id: id,
    created_at: decisionAt,
    action,
    agent_id: agentId,
    actor: { principal: agentId, source: 'node' },
    decision: {
      effect: 'deny',
      reason: 'no',
      reason_code: reasonCode,
      policy_id: policyId,
      policy_version: policyVersion,
      policy_hash: policyHash,
      decision_hash: decisionHash,
    },
    approval: {
      approval_id: id,
      state: 'denied',
      approver_id: 'alice',
      created_at: entry.recordedAt,
      resolved_at: formatTimestamp(new Date()),
      expires_at: entry.expiresAt,
      binding: { request_id: id, policy_hash: policyHash, decision_hash: decisionHash },
      requirement,
      redacted,
      registry: null,
      statements: [],
    },
    budget: null,
    metadata,
    parameters: { args, kwargs },
  })
}

export async function stateIn(box: Sandbox, id = 'r1'): Promise<string | undefined> {
  const store = SqliteApprovalStore.open(box.path('approvals.sqlite'))
  const record = await store.get(id, new Date())
  await store.close()
  return record?.state
}
