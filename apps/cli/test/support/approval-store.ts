// Creates an approval store with pending requests, as an engine leaves it.
import { SqliteApprovalStore } from '@sudoagent/core/sqlite'
import { sha256Hex } from '@sudoagent/crypto'
import { questionOf } from '../../../../packages/core/test/fixtures/approval.js'
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

export async function stateIn(box: Sandbox, id = 'r1'): Promise<string | undefined> {
  const store = SqliteApprovalStore.open(box.path('approvals.sqlite'))
  const record = await store.get(id, new Date())
  await store.close()
  return record?.state
}
