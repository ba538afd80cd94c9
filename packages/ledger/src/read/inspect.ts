// Reads a ledger's metadata without verifying it: size, keys, checkpoints, open calls. Reads the ledger once; memory
// grows with the number of decisions, as in `verify`.

import { encodeBase64 } from '@sudoagent/crypto/bytes'
import type { Resume, Stop, StopScope } from '@sudoagent/crypto/entry'
import { createNoteKey, isKeyName, type NoteSignature, parseNote } from '@sudoagent/crypto/note'
import { normalScope } from '../authority/stop-scope.js'
import type { Genesis, InvalidControl } from '../entry/control.js'
import { recogniseLine } from '../plain/recognise-line.js'
import type { LedgerKind, LedgerReader } from '../port/reader.js'
import { checkLine } from '../rules/check-line.js'
import { isRingBlock, type KeyRing, stepRing } from '../rules/key-ring.js'
import { Lifecycle } from '../rules/lifecycle.js'
import type { CallFacts, ControlFacts } from '../rules/line-facts.js'
import { firstOpenCalls } from '../rules/open-calls.js'
import { QuestionWalk } from '../standing/question-walk.js'
import { StopWalk } from '../standing/stop-walk.js'
import { readStoredCheckpoint, type StoredCheckpoint } from '../verify/stored-checkpoints.js'

/** A signature on a checkpoint, unverified. */
export interface StatedSignature {
  readonly name: string
  /** 8 hex digits. */
  readonly key_hash: string
  /** The ledger key that has this hash; null for a witness or an unknown key. */
  readonly key_id: string | null
  /** The time of a cosignature as stated by the witness, as Unix time in seconds; null for other signatures. */
  readonly time: number | null
}

/** A checkpoint stored with the ledger, or the reason why the checkpoint cannot be read. */
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
  /** The public key in PEM (SPKI). */
  readonly pem: string
  /** Position of the entry that added the key: the genesis or a `key_added` entry. */
  readonly added_at: number
  /** Id of the key that signed the `key_added` entry; null for a key in the genesis. */
  readonly added_by: string | null
  readonly retired_at: number | null
}

/** An open stop. */
export interface InspectedStop {
  readonly stop_id: string
  readonly position: number
  readonly scope: StopScope
  readonly reason: string
  readonly by: string
  readonly created_at: string | null
  /** Number of calls before the stop that were allowed and had no outcome. */
  readonly in_flight: number
}

/** An open question. */
export interface InspectedQuestion {
  readonly position: number
  readonly request_id: string
  readonly agent_id: string
  readonly expires_at: string
}

/** A ledger's metadata (unverified). Names are in snake_case, as in the ledger. */
export interface Inspection {
  readonly kind: LedgerKind
  readonly entries: number
  /** Number of lines that are not valid entries. */
  readonly unreadable: number
  readonly decisions: number
  readonly outcomes: number
  /** Allowed decisions without an outcome. */
  readonly open: number
  /** The oldest open calls, at most ten. */
  readonly open_calls: readonly { readonly position: number; readonly request_id: string }[]
  /** Name of the log; null if the first entry cannot be read. */
  readonly origin: string | null
  /** Null in a ledger without a genesis, that is, an older ledger or a ledger of SudoAgent for Python. */
  readonly genesis: {
    readonly ledger_id: string
    readonly created_at: string | null
    readonly entries_signed: boolean
    readonly software: Genesis['software']
  } | null
  /** The keys in the order in which they were added. */
  readonly keys: readonly InspectedKey[]
  readonly head: InspectedCheckpoint | null
  /** The latest checkpoint that has witness cosignatures. */
  readonly cosigned: InspectedCheckpoint | null
  /** The open stops, in the order of their entries. */
  readonly stops: readonly InspectedStop[]
  /** Number of questions without a decision: those that may still be answered, and those whose time is over. */
  readonly questions: { readonly open: number; readonly expired: number }
  /** The oldest open questions, at most ten. */
  readonly open_questions: readonly InspectedQuestion[]
  /** Position of the `closed` entry; null if there is none. */
  readonly closed_at: number | null
  readonly first_created_at: string | null
  readonly last_created_at: string | null
}

/** Maximum number of open calls, and of open questions, listed. */
const OPEN_CALLS_MAX = 10

/**
 * Reads a whole ledger and returns its metadata, without verifying anything.
 *
 * @throws LedgerError if the store cannot be read
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
  const { open, expired } = look.endOfQuestions
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
    stops: look.openStops,
    questions: { open: open.length, expired },
    open_questions: open.slice(0, OPEN_CALLS_MAX).map(({ position, requestId, agentId, expiresAt }) => {
      return { position, request_id: requestId, agent_id: agentId, expires_at: expiresAt }
    }),
    closed_at: ring?.closedAt ?? null,
    first_created_at: look.firstAt,
    last_created_at: look.lastAt,
  }
}

/** Collects metadata entry by entry. */
class Look {
  readonly lifecycle = new Lifecycle()
  readonly #stops = new StopWalk(null)
  readonly #questions = new QuestionWalk(null)
  #recordedAt: string | null = null
  readonly #notes = new Map<string, Pick<InspectedStop, 'reason' | 'by' | 'created_at'>>()
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
    // If the first entry is unreadable, the origin and the keys remain unknown.
    if (this.ring !== null || position === 1)
      this.ring = stepRing(this.ring, { block, entryHash, keyId }, position).ring
    if (position === 1) this.genesis = genesisOf(block, createdAt)
    this.firstAt ??= createdAt
    this.lastAt = createdAt ?? this.lastAt
    const before = this.#recordedAt
    if (before === null || (facts.recordedAt ?? '') > before) this.#recordedAt = facts.recordedAt
    if (block !== null && !isRingBlock(block) && position > 1) {
      if (block.kind !== 'asked') this.#stop(block, createdAt, position)
      else this.#questions.asked(block, position, { recordedAt: facts.recordedAt, before, isDecided: false })
    }
    if (facts.kind !== 'call') return
    if (facts.isDecision) {
      this.#questions.decided(facts, before)
      this.decisions += 1
    } else this.outcomes += 1
    this.lifecycle.observe(facts, position, null)
  }

  #stop(block: Stop | Resume | InvalidControl, createdAt: string | null, position: number): void {
    if (this.#stops.control(block, position, this.lifecycle.open) !== null) return
    if (block.kind === 'stop')
      this.#notes.set(block.stop_id, { reason: block.reason, by: block.by, created_at: createdAt })
    else if (block.kind === 'resume') this.#notes.delete(block.stop_id)
  }

  get endOfQuestions(): ReturnType<QuestionWalk['end']> {
    return this.#questions.end(this.#recordedAt)
  }

  get openStops(): readonly InspectedStop[] {
    return this.#stops.open.map(({ stopId, position, scope, inFlight }) => {
      const note = this.#notes.get(stopId) ?? { reason: '', by: '', created_at: null }
      return { stop_id: stopId, position, scope: normalScope(scope), ...note, in_flight: inFlight }
    })
  }
}

function genesisOf(block: ControlFacts['block'], createdAt: string | null): Inspection['genesis'] {
  if (block?.kind !== 'genesis') return null
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

/** A cosignature consists of an 8-byte time and a 64-byte signature (C2SP tlog-cosignature). */
function timeOf({ bytes }: NoteSignature): number | null {
  if (bytes.length !== 72) return null
  const time = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0))
  return Number.isSafeInteger(time) ? time : null
}
