import { describe, expect, it } from 'vitest'
import { openLedger } from '../src/open.js'
import { makeReceipt, type Receipt } from '../src/receipt.js'
import { decisionDraft, outcomeDraft, POLICY_HASH, requestIdOf, testSigner } from './fixtures/draft.js'
import { jsonlOf, sqliteOf } from './fixtures/ledger-file.js'
import { refusalOf } from './fixtures/refusal.js'
import { entriesOf, writtenLines } from './fixtures/seal.js'

const [first, second] = [decisionDraft(1), decisionDraft(2)]
const drafts = [first, outcomeDraft(first), second, outcomeDraft(second)]

async function receipt(path: string, key: Parameters<typeof makeReceipt>[1]): Promise<Receipt> {
  const reader = await openLedger(path)
  try {
    return await makeReceipt(reader, key)
  } finally {
    await reader.close()
  }
}

describe('makeReceipt', () => {
  it.each(['jsonl', 'sqlite'])('names a decision and where it stands: %s', async (kind) => {
    const lines = await writtenLines(drafts, testSigner(1))
    const path = kind === 'jsonl' ? jsonlOf(lines) : sqliteOf(lines)
    const { entry_hash, entry_signature } = entriesOf(lines)[2] ?? {}
    const expected = {
      ledger_position: 3,
      schema_version: '2.0',
      ledger_version: '2.0',
      request_id: requestIdOf(2),
      created_at: second.created_at,
      policy_id: 'refund-policy',
      policy_hash: POLICY_HASH,
      decision_hash: second.decision.decision_hash,
      entry_hash,
      entry_signature,
    }
    expect(await receipt(path, { requestId: requestIdOf(2) })).toEqual(expected)
    expect(await receipt(path, { decisionHash: second.decision.decision_hash })).toEqual(expected)
  })

  it('has null for the signature of an unsigned entry', async () => {
    expect(
      (await receipt(jsonlOf(await writtenLines(drafts)), { requestId: requestIdOf(1) })).entry_signature,
    ).toBeNull()
  })

  it.each<[string, Parameters<typeof makeReceipt>[1]]>([
    ['another request', { requestId: 'nobody' }],
    ['another hash', { decisionHash: '0'.repeat(64) }],
    ['a text that is no hash', { decisionHash: 'payments' }],
    // Found as text in the entry, but not as the hash of its decision.
    ['the hash of something else in the entry', { decisionHash: POLICY_HASH }],
  ])('does not make one of %s', async (_, key) => {
    const path = jsonlOf(await writtenLines(drafts))
    expect(await refusalOf(() => receipt(path, key))).toBe('ENTRY_NOT_FOUND')
  })

  it('does not make one of an outcome alone', async () => {
    const path = jsonlOf((await writtenLines(drafts)).slice(1, 2))
    expect(await refusalOf(() => receipt(path, { requestId: requestIdOf(1) }))).toBe('ENTRY_NOT_FOUND')
  })
})
