// Reads and writes the registry, a ledger that records the heads of other ledgers. Each entry is a decision of the
// action below, with the heads as its parameters, so a registry is verified like every ledger.
import { randomUUID } from 'node:crypto'
import { sha256Hex } from '@sudoagent/crypto'
import { escapeForTerminal } from '@sudoagent/crypto/text'
import { type EntryDraft, type LedgerReader, type LedgerWriter, select } from '@sudoagent/ledger'
import { decisionHash, formatTimestamp, isCallEntry } from '@sudoagent/ledger/entry'
import { readUnverifiedCheckpoint } from '@sudoagent/ledger/proof'
import { listLedgers, openPostgresLedger } from '@sudoagent/postgres'
import { isLedgerName, ledgerIn } from '@sudoagent/postgres/url'
import { CliError, EXIT } from '../exit.js'
import { isServer } from './place.js'

const ACTION = 'sudoagent.registry.record'
const POLICY_ID = 'registry'

/** Maximum number of heads in one entry: a head has a few hundred bytes, and an entry is limited to 3 MiB. */
const HEADS_MAX = 500

/** The recorded head of a ledger. `checkpoint` is the signed note, or the three lines of an unsigned checkpoint. */
export interface RecordedHead {
  readonly ledger: string
  readonly checkpoint: string
}

/** The name of the registry within the database; null if it is stored elsewhere. */
export function registryIn(database: string, registry: string): string | null {
  return isServer(registry) ? ledgerIn(database, registry) : null
}

/**
 * Reads the current heads of all ledgers in a database except the registry.
 *
 * @throws CliError if the server lists a ledger with an invalid name
 */
export async function readHeads(database: string, registry: string): Promise<readonly RecordedHead[]> {
  const heads: RecordedHead[] = []
  const itself = registryIn(database, registry)
  for (const { name } of await listLedgers(database)) {
    if (name === itself) continue
    if (!isLedgerName(name))
      throw new CliError(
        EXIT.no,
        `the server lists the ledger \`${escapeForTerminal(name.slice(0, 80))}\`, which is not a valid ledger name`,
        'the tables were not created by sudoagent, or were changed; nothing was recorded',
      )
    const reader = await openPostgresLedger(database, { ledger: name })
    try {
      const { head } = await reader.evidence()
      if (head === null || head === 'unreadable') continue
      readUnverifiedCheckpoint(head.text)
      heads.push({ ledger: name, checkpoint: head.text })
    } finally {
      await reader.close()
    }
  }
  return heads
}

export async function recordHeads(heads: readonly RecordedHead[], writer: LedgerWriter): Promise<void> {
  for (let start = 0; start < heads.length; start += HEADS_MAX) {
    const decision = draftOf(heads.slice(start, start + HEADS_MAX))
    await writer.append(decision)
    const { effect: _, ...block } = decision.decision
    const outcome = { status: 'success', reason: null, reason_code: null, error_type: null, error: null } as const
    await writer.append({ ...decision, event: 'outcome', decision: block, outcome })
  }
}

/** Returns all recorded heads by ledger, in the order in which they were recorded. */
export async function recordedHeads(registry: LedgerReader): Promise<ReadonlyMap<string, readonly string[]>> {
  const all = new Map<string, string[]>()
  for await (const { entry } of select(registry, { event: 'decision' })) {
    if (!isCallEntry(entry) || entry.action !== ACTION) continue
    const heads = entry.parameters?.kwargs.heads
    if (!Array.isArray(heads)) continue
    for (const head of heads as readonly { readonly ledger?: unknown; readonly checkpoint?: unknown }[]) {
      if (typeof head?.ledger !== 'string' || typeof head.checkpoint !== 'string') continue
      const known = all.get(head.ledger) ?? []
      if (known.at(-1) !== head.checkpoint) known.push(head.checkpoint)
      all.set(head.ledger, known)
    }
  }
  return all
}

function draftOf(heads: readonly RecordedHead[]): EntryDraft {
  const requestId = randomUUID()
  const createdAt = formatTimestamp(new Date())
  const policyHash = sha256Hex(POLICY_ID)
  const actor = { principal: 'sudoagent', source: 'node' }
  const kwargs = { heads: heads.map(({ ledger, checkpoint }) => ({ ledger, checkpoint })) }
  const parameters = { args: [], kwargs }
  const facts = { requestId, decisionAt: createdAt, policyHash, action: ACTION, actor }
  return {
    event: 'decision',
    request_id: requestId,
    created_at: createdAt,
    action: ACTION,
    agent_id: 'sudoagent',
    actor,
    decision: {
      effect: 'allow',
      reason: 'heads of ledgers are recorded',
      reason_code: null,
      policy_id: POLICY_ID,
      policy_version: null,
      policy_hash: policyHash,
      decision_hash: decisionHash(facts, parameters),
    },
    approval: null,
    budget: null,
    parameters,
    metadata: {},
  }
}
