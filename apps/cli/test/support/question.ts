// Writes a ledger with questions and stops.
import { createSigner, type PrivateKey } from '@sudoagent/crypto'
import { assertedRequirement } from '@sudoagent/crypto/entry'
import type { EntryDraft } from '@sudoagent/ledger'
import { JsonlLedger } from '@sudoagent/ledger/jsonl'
import { SqliteLedger } from '@sudoagent/ledger/sqlite'
import { decisionDraft, outcomeDraft } from './draft.js'

const AUTHORITY = {
  on_behalf_of: { id: 'alice', type: 'user', assurance: 'asserted' },
  tenant: 'acme',
} as const
export const RULE = 'large-refunds'
const START_MS = Date.parse('2026-11-22T20:00:00Z')

export interface QuestionTexts {
  readonly action?: string
  readonly agentId?: string
  readonly rule?: string
  readonly tenant?: string
  readonly reason?: string
  readonly by?: string
}

/**
 * Writes these entries; the file extension of `path` selects the store.
 *
 *   1 genesis   2 question 1   3 its decision   4 its outcome   5 question 2, which expires
 *   6 stop      7 its end      8 open stop      9 decision 3    10 question 4, which is open
 */
export async function writeQuestions(path: string, key?: PrivateKey, texts: QuestionTexts = {}): Promise<void> {
  const { rule = RULE, reason = 'wrong prices', by = 'bob', tenant = 'acme', ...call } = texts
  let now = new Date(START_MS)
  const options = { clock: () => now, ...(key === undefined ? {} : { signer: createSigner(key) }) }
  const ledger = path.endsWith('.jsonl') ? JsonlLedger.open(path, options) : SqliteLedger.open(path, options)
  const authority = { ...AUTHORITY, tenant }
  const draft = (n: number): EntryDraft => ({ ...decisionDraft({ n, ...call }), authority })
  const requirement = assertedRequirement(rule)
  const ask = (n: number, redacted: number, ttlMs = 300_000) => {
    const { request_id: requestId, created_at: decisionAt, decision, action, agent_id: agentId } = draft(n)
    const { decision_hash: decisionHash, policy_hash: policyHash } = decision
    const hashes = { decisionHash, policyHash }
    return ledger.ask({ requestId, decisionAt, ...hashes, action, agentId, authority, requirement, redacted, ttlMs })
  }
  const { recordedAt, expiresAt } = await ask(1, 2)
  now = new Date(START_MS + 70_000)
  const { request_id: id, decision } = draft(1)
  const { policy_hash, decision_hash } = decision
  const approval = {
    approval_id: id,
    state: 'approved',
    approver_id: by,
    created_at: recordedAt,
    resolved_at: recordedAt,
    expires_at: expiresAt,
    binding: { request_id: id, policy_hash, decision_hash },
    requirement,
    redacted: 2,
    registry: null,
    statements: [],
  }
  await ledger.append({ ...draft(1), approval })
  await ledger.append(outcomeDraft({ n: 1, ...call }))
  await ask(2, 0)
  const { stopId } = await ledger.stop({ agent: `billing-* ${by}`.slice(0, 256) }, { reason, by })
  await ledger.resume(stopId, { reason, by })
  await ledger.stop({ tenant: `another ${tenant}`.slice(0, 256) }, { reason: '', by })
  now = new Date(START_MS + 600_000)
  await ledger.append(draft(3))
  await ask(4, 1, 604_800_000)
  await ledger.close()
}
