// What a ledger says of itself, for whoever asks what there is: size, keys, checkpoints, open calls. Read, not verified: nothing here says that
// any of it is true. One walk; memory grows with the number of decisions, as in `verify`.
import { createNoteKey, encodeBase64, isKeyName, type NoteSignature, parseNote } from '@sudoagent/crypto'
import type { Genesis } from '../entry/control.js'
import { recogniseLine } from '../plain/recognise-line.js'
import type { LedgerKind, LedgerReader } from '../port/reader.js'
import { checkLine } from '../rules/check-line.js'
import { type KeyRing, stepRing } from '../rules/key-ring.js'
import { Lifecycle } from '../rules/lifecycle.js'
import type { CallFacts, ControlFacts } from '../rules/line-facts.js'
import { firstOpenCalls } from '../rules/open-calls.js'
import { readStoredCheckpoint, type StoredCheckpoint } from '../verify/stored-checkpoints.js'

/** A signature as a checkpoint states it. */
export interface StatedSignature {
  readonly name: string
  /** 8 hex digits. */
  readonly key_hash: string
  /** The key of the ledger that it names; null for a witness, and for a key that the ledger does not name. */
  readonly key_id: string | null
  /** When a witness says it signed, in seconds since 1970; null for what is no cosignature. */
  readonly time: number | null
}

/** A checkpoint that is kept with the ledger, or why it cannot be read. */
export type InspectedCheckpoint =
  | {
      readonly origin: string
      readonly size: number
      /** Base64. */
      readonly root: string
      readonly signatures: readonly StatedSignature[]
    }
  | { readonly problem: string }

export interface InspectedKey {
  readonly key_id: string
  /** SPKI. */
  readonly pem: string
  /** Position of the entry behind which it may sign; the genesis for the first ones. */
  readonly added_at: number
  /** Id of the key that vouched for it; null for a key of the genesis. */
  readonly added_by: string | null
  readonly retired_at: number | null
}

/** What a ledger says of itself. Names are snake_case like the ledger's. */
export interface Inspection {
  readonly kind: LedgerKind
  readonly entries: number
  /** Of those, lines that are no entries. */
  readonly unreadable: number
  readonly decisions: number
  readonly outcomes: number
  /** Allowed decisions without an outcome. */
  readonly open: number
  /** The oldest of them, ten at most. */
  readonly open_calls: readonly { readonly position: number; readonly request_id: string }[]
  /** The log's name; null when the first entry cannot be read. */
  readonly origin: string | null
  /** Null in ledgers without one: older ones, and those of SudoAgent for Python. */
  readonly genesis: {
    readonly ledger_id: string
    readonly created_at: string | null
    readonly entries_signed: boolean
    readonly software: Genesis['software']
  } | null
  /** In the order in which they were named. */
  readonly keys: readonly InspectedKey[]
  readonly head: InspectedCheckpoint | null
  /** The last checkpoint that witnesses cosigned. */
  readonly cosigned: InspectedCheckpoint | null
  /** Position of the entry that ended the ledger. */
  readonly closed_at: number | null
  readonly first_created_at: string | null
  readonly last_created_at: string | null
}

/** Open calls that are listed: enough to look at. */
const OPEN_CALLS_MAX = 10

/**
 * Reads a ledger from one end to the other and says what is there. Verifies nothing.
 *
 * @throws LedgerError when the store cannot be read
 */
export async function inspect(reader: LedgerReader): Promise<Inspection> {
  const look = new Look()
  for await (const batch of reader.batches()) {
    for (const { position, bytes, fault } of batch) {
      const facts = fault === undefined ? (recogniseLine(bytes) ?? checkLine(bytes)) : null
      if (facts === null || facts.kind === 'unreadable') look.unreadable += 1
      else look.entry(facts, position)
      look.entries += 1
    }
  }
  const { head, cosigned } = await reader.evidence()
  const { ring, lifecycle } = look
  return {
    kind: reader.kind,
    entries: look.entries,
    unreadable: look.unreadable,
    decisions: look.decisions,
    outcomes: look.outcomes,
    open: lifecycle.open,
    open_calls: firstOpenCalls(lifecycle, OPEN_CALLS_MAX),
    origin: ring?.origin ?? null,
    genesis: look.genesis,
    keys: [...(ring?.keys ?? [])].map(([key_id, { publicKey, addedAt, addedBy, retiredAt }]) => ({
      key_id,
      pem: publicKey.pem,
      added_at: addedAt,
      added_by: addedBy,
      retired_at: retiredAt,
    })),
    head: shown(readStoredCheckpoint(head), ring),
    cosigned: shown(readStoredCheckpoint(cosigned), ring),
    closed_at: ring?.closedAt ?? null,
    first_created_at: look.firstAt,
    last_created_at: look.lastAt,
  }
}

/** What was seen so far. */
class Look {
  readonly lifecycle = new Lifecycle()
  ring: KeyRing | null = null
  genesis: Inspection['genesis'] = null
  entries = 0
  unreadable = 0
  decisions = 0
  outcomes = 0
  firstAt: string | null = null
  lastAt: string | null = null

  entry(facts: CallFacts | ControlFacts, position: number): void {
    const { entryHash, keyId, createdAt } = facts
    const block = facts.kind === 'control' ? facts.block : null
    // With a first entry that cannot be read, nobody knows what the ledger is called or who may sign.
    if (this.ring !== null || position === 1)
      this.ring = stepRing(this.ring, { block, entryHash, keyId }, position).ring
    if (position === 1) this.genesis = genesisOf(block, createdAt)
    this.firstAt ??= createdAt
    this.lastAt = createdAt ?? this.lastAt
    if (facts.kind !== 'call') return
    if (facts.isDecision) this.decisions += 1
    else this.outcomes += 1
    this.lifecycle.observe(facts, position, null)
  }
}

function genesisOf(block: ControlFacts['block'], createdAt: string | null): Inspection['genesis'] {
  if (block === null || block === 'invalid' || block.kind !== 'genesis') return null
  const { ledger_id, entries_signed, software } = block
  return { ledger_id, created_at: createdAt, entries_signed, software }
}

function shown(stored: StoredCheckpoint, ring: KeyRing | null): InspectedCheckpoint | null {
  if (stored === null || 'problem' in stored) return stored
  const { origin, size, root, text, isSigned } = stored
  const keyIds = isKeyName(origin)
    ? new Map([...(ring?.keys ?? [])].map(([id, { publicKey }]) => [createNoteKey(origin, publicKey).keyHash, id]))
    : new Map<string, string>()
  const signatures = isSigned ? parseNote(text).signatures : []
  return {
    origin,
    size,
    root: encodeBase64(root),
    signatures: signatures.map((signature) => {
      const keyId = signature.name === origin ? (keyIds.get(signature.keyHash) ?? null) : null
      return {
        name: signature.name,
        key_hash: signature.keyHash,
        key_id: keyId,
        time: signature.name === origin ? null : timeOf(signature),
      }
    }),
  }
}

/** A cosignature is 8 bytes of time and 64 of signature (C2SP tlog-cosignature). */
function timeOf({ bytes }: NoteSignature): number | null {
  if (bytes.length !== 72) return null
  const time = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0))
  return Number.isSafeInteger(time) ? time : null
}
