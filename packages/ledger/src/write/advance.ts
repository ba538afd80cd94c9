// Computes one step of a ledger. From drafts and the current state, it computes the linked entries, the new tree
// nodes, the new head and the next state (LEDGER-FORMAT §3–§5).
//
// A store makes the whole plan durable in one transaction or not at all, so the tree (RFC 6962) and the head (a C2SP
// tlog-checkpoint in a signed note) cover every entry. For example, the first append to a new, signed ledger:
//
//   advance({ drafts: [draft] }, EMPTY_STATE, writer)
//     entries      1: genesis (origin, keys, software), 2: the decision
//     asked        2: the decision
//     nodes        leaf 1, leaf 2, root of both
//     checkpoint   <origin>\n2\n<root in base64>\n\n— <origin> <signature>\n
//     state        head { size: 2, … }, the right edge of the tree, the keys that may sign
//
// `encode-draft.ts` encodes a draft before the store's lock is taken, `link-batch.ts` links and signs entries under
// the lock, `group-commit.ts` collects concurrent appends into one step, and `recover.ts` applies entries that the
// head does not cover yet. `StoreWriter` combines these parts for all stores.

import type { Signer } from '@sudoagent/crypto'
import { createNoteSigner, encodeCheckpoint, type NoteSigner, signCheckpoint } from '@sudoagent/crypto/note'
import { EMPTY_FRONTIER, type Frontier, frontierRoot, type TreeNode } from '@sudoagent/crypto/tree'
import { type ControlBlock, type ControlDraft, isOrigin, makeKeyAdded } from '../entry/control.js'
import { LEDGER_VERSION, SCHEMA_VERSION } from '../entry/entry.js'
import { formatTimestamp } from '../entry/timestamp.js'
import { LedgerError } from '../error.js'
import { EMPTY_HEAD, type Head } from '../port/writer.js'
import { type KeyRing, mayFollow, ringEntryOf, stepRing } from '../rules/key-ring.js'
import { grow } from '../tree/grow.js'
import { type EncodedDraft, encodeDraft } from './encode-draft.js'
import { type LinkedEntry, linkBatch } from './link-batch.js'
import { signInTime, writeFailed } from './signing.js'
import { SOFTWARE } from './software.js'

/** The state of a ledger after its last entry. */
export interface LogState {
  readonly head: Head
  readonly frontier: Frontier
  /** Null before the first entry. */
  readonly ring: KeyRing | null
}

export const EMPTY_STATE: LogState = { head: EMPTY_HEAD, frontier: EMPTY_FRONTIER, ring: null }

/** The identity and the clock of a writer. */
export interface Writer {
  readonly signer: Signer | null
  /** The required origin; null accepts the ledger's own. */
  readonly origin: string | null
  readonly clock: () => Date
  /** Generates a UUIDv4. */
  readonly generateId: () => string
}

/** Writer options, the same for every store. */
export interface WriterOptions {
  /**
   * Signs every entry and the head. Default: none, so entries are unsigned. A ledger that was created with a signer
   * refuses unsigned entries.
   */
  readonly signer?: Signer
  /**
   * The permanent name of the log, preferably a URL without its scheme (`example.com/agents/ledger`). An
   * existing ledger must have this origin. Default for a new ledger: `sudoagent.dev/ledger/` and 32 hex digits.
   */
  readonly origin?: string
  /** Read once for each entry, under the ledger's lock. Default: the system clock. */
  readonly clock?: () => Date
  /** Generates the id of a new ledger, a UUIDv4. */
  readonly generateId?: () => string
}

/** @throws TypeError for an invalid origin */
export function writerOf({ signer, origin, clock, generateId }: WriterOptions): Writer {
  if (origin !== undefined && !isOrigin(origin)) {
    throw new TypeError('origin must be 1 to 255 bytes without white space, `+` and control characters')
  }
  return {
    signer: signer ?? null,
    origin: origin ?? null,
    clock: clock ?? (() => new Date()),
    generateId: generateId ?? (() => globalThis.crypto.randomUUID()),
  }
}

/** The request does not have drafts, and the ledger already has a genesis. */
class AlreadyBegun extends LedgerError {
  constructor() {
    super('ENTRY_REFUSED', 'there is nothing to record')
  }
}

/**
 * Implements `LedgerWriter.begin` for a store.
 *
 * @param write - function that performs one step under the ledger's lock
 */
export async function writeGenesis(write: (work: AppendRequest) => Promise<unknown>): Promise<void> {
  try {
    await write({ drafts: [] })
  } catch (error) {
    if (!(error instanceof AlreadyBegun)) throw error
  }
}

/**
 * Implements `LedgerWriter.aheadMs` for a store. @param recordedAt - the ledger time; null if the last entry does not
 * have a time
 */
export function aheadOf(recordedAt: string | null, { clock }: Pick<Writer, 'clock'>): number {
  const aheadMs = recordedAt === null ? 0 : Date.parse(recordedAt) - clock().getTime()
  return Number.isNaN(aheadMs) ? 0 : aheadMs
}

/** Creates the block of a control entry for its position in the ledger. */
export type MakeControl = (at: {
  readonly ring: KeyRing
  readonly signedBy: string | null
  readonly position: number
}) => ControlBlock | Promise<ControlBlock>

/** The entries to append: calls, or one control entry. */
export type AppendRequest = { readonly drafts: readonly EncodedDraft[] } | { readonly control: MakeControl }

export interface CommitPlan {
  /** All entries, in ledger order, beginning with the genesis in a new ledger. */
  readonly entries: readonly LinkedEntry[]
  /** The requested entries. */
  readonly asked: readonly LinkedEntry[]
  /** The nodes that these entries complete, in the order of completion. */
  readonly nodes: readonly TreeNode[]
  /** The head: a signed note, or the three lines of a checkpoint if the ledger is not signed. */
  readonly checkpoint: string
  readonly state: LogState
}

/**
 * Requires that a verifier would accept this writer's entries.
 *
 * @throws LedgerError LEDGER_FINISHED (the ledger is closed), KEY_REFUSED (no key, or a key that may not sign),
 * ORIGIN_REFUSED
 */
export function requireAuthorizedWriter(ring: KeyRing | null, { signer, origin }: Writer): void {
  if (ring === null) return
  if (ring.closedAt !== null) {
    throw new LedgerError('LEDGER_FINISHED', `the ledger was closed by entry ${ring.closedAt}`, {
      hint: 'create a new ledger',
    })
  }
  if (origin !== null && origin !== ring.origin) {
    throw new LedgerError('ORIGIN_REFUSED', `the origin of the ledger is \`${ring.origin}\`, not \`${origin}\``, {
      hint: 'is this the right file? the origin of a ledger never changes',
    })
  }
  if (!ring.entriesSigned || (signer !== null && mayFollow(ring, signer.keyId))) return
  const why = signer === null ? 'no key was given' : `key \`${signer.keyId}\` may not sign it`
  throw new LedgerError('KEY_REFUSED', `the ledger requires every entry to be signed, and ${why}`, {
    hint: '`sudoagent inspect` shows its keys, `sudoagent key rotate` adds one',
  })
}

/**
 * Computes one step. The function is pure, except for the signer, the clock and the id of a new ledger.
 *
 * @throws the errors of `requireAuthorizedWriter`; LedgerError ENTRY_REFUSED for a control entry that the ledger
 * rules forbid; LEDGER_WRITE_FAILED if the signer or the clock fails
 */
export async function advance(work: AppendRequest, state: LogState, writer: Writer): Promise<CommitPlan> {
  requireAuthorizedWriter(state.ring, writer)
  const begins = state.head.size === 0
  const control = 'control' in work ? await controlOf(work.control, state, writer) : begins ? genesisOf(writer) : null
  const drafts = [...(control === null ? [] : [encodeDraft(control)]), ...('drafts' in work ? work.drafts : [])]
  const entries = await linkBatch(drafts, state.head, writer)
  const ring = control === null ? state.ring : ringBehind(state.ring, control, entries[0], writer)
  const { frontier, nodes } = grow(state.frontier, entries)
  const last = entries.at(-1)
  if (ring === null || last === undefined) throw new AlreadyBegun()
  return {
    entries,
    asked: begins ? entries.slice(1) : entries,
    nodes,
    checkpoint: await headOf(ring.origin, frontier, writer.signer),
    state: {
      head: { size: last.position, entryHash: last.entryHash, recordedAt: last.recordedAt },
      frontier,
      ring,
    },
  }
}

/** Makes the head of a tree, signed if there is a signer. */
export async function headOf(origin: string, frontier: Frontier, signer: Signer | null): Promise<string> {
  const checkpoint = { origin, size: frontier.size, root: frontierRoot(frontier), extensions: [] }
  if (signer === null) return encodeCheckpoint(checkpoint)
  return signCheckpoint(checkpoint, [headSigner(origin, signer)])
}

/** Cached for each signer, since creating a note key takes longer than a signature. */
const headSigners = new WeakMap<Signer, NoteSigner>()

function headSigner(origin: string, signer: Signer): NoteSigner {
  try {
    const known = headSigners.get(signer)
    if (known?.name === origin) return known
    const made = { ...createNoteSigner(origin, signer), sign: (text: Uint8Array) => signInTime(signer, text) }
    headSigners.set(signer, made)
    return made
  } catch (cause) {
    throw writeFailed('the signer', cause)
  }
}

function genesisOf({ signer, origin, clock, generateId }: Writer): ControlDraft {
  try {
    return {
      event: 'checkpoint',
      created_at: formatTimestamp(clock()),
      checkpoint: {
        kind: 'genesis',
        ledger_id: generateId(),
        origin,
        entries_signed: signer !== null,
        keys: signer === null ? [] : [{ key_id: signer.keyId, pem: signer.publicKey.pem }],
        software: SOFTWARE,
      },
    }
  } catch (cause) {
    throw writeFailed('the signer or the clock', cause)
  }
}

async function controlOf(
  make: MakeControl,
  { ring, head }: LogState,
  { signer, clock }: Writer,
): Promise<ControlDraft> {
  if (ring === null) {
    throw new LedgerError('ENTRY_REFUSED', 'the ledger has no entries yet', { hint: 'it starts with the first call' })
  }
  const checkpoint = await make({ ring, signedBy: signer?.keyId ?? null, position: head.size + 1 })
  return { event: 'checkpoint', created_at: formatTimestamp(clock()), checkpoint }
}

/** Returns the ring after a control entry by this writer, which a verifier must accept. */
function ringBehind(
  ring: KeyRing | null,
  draft: ControlDraft,
  entry: LinkedEntry | undefined,
  writer: Writer,
): KeyRing {
  if (entry === undefined) throw new LedgerError('ENTRY_REFUSED', 'there is nothing to record')
  const step = stepRing(
    ring,
    ringEntryOf({
      ...draft,
      schema_version: SCHEMA_VERSION,
      ledger_version: LEDGER_VERSION,
      prev_entry_hash: entry.prevEntryHash,
      entry_hash: entry.entryHash,
      ...(writer.signer === null ? {} : { key_id: writer.signer.keyId }),
    }),
    entry.position,
  )
  if (step.problem === null) return step.ring
  throw new LedgerError('ENTRY_REFUSED', `the ledger refuses this entry: ${step.problem}`)
}

/** Adds a key. The new key signs a proof of possession, and the writer's own key signs the entry. */
export function addKey(signer: Signer): MakeControl {
  return async ({ ring, signedBy }) => {
    try {
      const { keyId, publicKey } = signer
      const timed = { keyId, publicKey, sign: (message: Uint8Array) => signInTime(signer, message) }
      return await makeKeyAdded(ring.origin, signedBy ?? '', timed)
    } catch (cause) {
      throw cause instanceof LedgerError ? cause : writeFailed('the new key', cause)
    }
  }
}

/** Retires a key, which may be the key that signs this entry. */
export function retireKey(keyId: string): MakeControl {
  return () => ({ kind: 'key_retired', key_id: keyId })
}

/** Closes the ledger. */
export function sealLedger(): MakeControl {
  return ({ position }) => ({ kind: 'closed', size: position })
}
