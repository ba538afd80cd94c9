// A receipt names one decision on record and where it stands, so that it can be looked up and compared later (LEDGER-FORMAT §4).
import type { Hash } from '@sudoagent/crypto'
import type { CallEntry } from './entry.js'
import { LedgerError } from './error.js'
import type { LedgerReader } from './ledger.js'
import { type EntryRecord, select } from './query.js'

export interface Receipt {
  readonly ledger_position: number
  readonly schema_version: string
  readonly ledger_version: string
  readonly request_id: string
  readonly created_at: string
  readonly policy_id: string
  readonly policy_hash: string
  readonly decision_hash: Hash
  readonly entry_hash: Hash
  /** Base64 Ed25519 over `entry_hash`; null when the ledger is not signed. */
  readonly entry_signature: string | null
}

/**
 * The receipt of one decision.
 *
 * @throws LedgerError ENTRY_NOT_FOUND
 * @example
 * const receipt = await makeReceipt(reader, { requestId: '083a0f8c-664e-4692-9c0d-fb611024f7a4' })
 */
export async function makeReceipt(
  reader: LedgerReader,
  key: { readonly requestId: string } | { readonly decisionHash: string },
): Promise<Receipt> {
  const [name, wanted] = 'requestId' in key ? ['request id', key.requestId] : ['decision hash', key.decisionHash]
  for await (const record of select(reader, { event: 'decision', ...key }))
    return receiptOf(record, record.entry as CallEntry)
  throw new LedgerError('ENTRY_NOT_FOUND', `no decision with ${name} \`${wanted}\``)
}

function receiptOf({ position }: EntryRecord, entry: CallEntry): Receipt {
  return {
    ledger_position: position,
    schema_version: entry.schema_version,
    ledger_version: entry.ledger_version,
    request_id: entry.request_id,
    created_at: entry.created_at,
    policy_id: entry.decision.policy_id,
    policy_hash: entry.decision.policy_hash,
    decision_hash: entry.decision.decision_hash,
    entry_hash: entry.entry_hash,
    entry_signature: entry.entry_signature ?? null,
  }
}
