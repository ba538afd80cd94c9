// Compares a stored question with its entry in the ledger. No hash covers the number of redacted values and the times
// of a question, and any program that can write to the store can compute the other hashes again. The entry of a ledger
// that another user writes cannot be changed that way.
import type { ApprovalRecord } from '@sudoagent/core'
import { encodeCanonical } from '@sudoagent/crypto/json'
import { type LedgerReader, select } from '@sudoagent/ledger'
import { formatTimestamp, type LedgerEntry, readControl } from '@sudoagent/ledger/entry'
import { CliError, EXIT } from '../../exit.js'
import { CHANGED_STORE_HINT } from '../../ledger/approval-store.js'
import { batchOf, linesReader } from '../../ledger/lines-reader.js'

/**
 * Checks that a ledger has recorded a question with the stored values. Requests without a question are not checked.
 *
 * @param path - the ledger, for messages
 * @throws CliError with exit code 1 if the ledger has not recorded the question, or has recorded other values
 */
export async function requireAskedEntry(reader: LedgerReader, record: ApprovalRecord, path: string): Promise<void> {
  const { asked } = record
  if (asked === undefined) return
  if (asked.ledger !== (await firstHash(reader)))
    throw new CliError(
      EXIT.no,
      `nothing changed: the question was not recorded in \`${path}\``,
      'give the ledger of the agent that asks',
    )
  const entry = await entryAt(reader, asked.position)
  const names = entry === null ? null : differences(record, entry)
  if (names === null)
    throw new CliError(
      EXIT.no,
      `nothing changed: entry ${asked.position} of \`${path}\` is not the question`,
      CHANGED_STORE_HINT,
    )
  if (names.length > 0)
    throw new CliError(
      EXIT.no,
      `nothing changed: the stored request differs from entry ${asked.position} of \`${path}\`: ${names.join(', ')}`,
      CHANGED_STORE_HINT,
    )
}

/** `entry_hash` of the first entry; undefined for an empty ledger. */
async function firstHash(reader: LedgerReader): Promise<string | undefined> {
  for await (const { entry } of select(reader, { limit: 1 })) return entry.entry_hash
  return undefined
}

async function entryAt(reader: LedgerReader, position: number): Promise<LedgerEntry | null> {
  const line = await reader.lineAt(position)
  if (line === null) return null
  for await (const { entry } of select(linesReader(reader, () => batchOf([line])))) return entry
  return null
}

/** The names of the members that differ; null if the entry is not the question of a call with this id. */
function differences(record: ApprovalRecord, entry: LedgerEntry): readonly string[] | null {
  if (entry.event !== 'checkpoint') return null
  const block = readControl(entry)
  if (block?.kind !== 'asked' || block.approval_id !== record.approvalId) return null
  const stored = storedMembers(record)
  const recorded: Readonly<Record<string, unknown>> = { ...block, recorded_at: entry.recorded_at }
  return Object.keys(stored).filter((name) => textOf(stored[name]) !== textOf(recorded[name]))
}

/** The members of the entry, as the store has them. */
function storedMembers(record: ApprovalRecord): Readonly<Record<string, unknown>> {
  const { binding, decision, asked } = record
  return {
    request_id: binding.requestId,
    decision_at: decision?.decisionAt,
    decision_hash: binding.decisionHash,
    authority: record.authority,
    authority_hash: decision?.authorityHash,
    policy_hash: binding.policyHash,
    action: record.action,
    agent_id: record.agentId,
    requirement: asked?.requirement,
    redacted: asked?.redacted,
    commitment: asked?.commitment,
    recorded_at: formatTimestamp(record.createdAt),
    expires_at: formatTimestamp(record.expiresAt),
  }
}

const textOf = (value: unknown): string => (value === undefined ? '' : encodeCanonical(value))
