// One step of a ledger: drafts and where it stands → linked entries, new nodes of its tree, its new head, and where it stands then. A store
// makes all of that durable together, or nothing of it, so that there is never an entry that the tree does not cover (LEDGER-FORMAT §4).
import {
  createNoteSigner,
  EMPTY_FRONTIER,
  encodeCheckpoint,
  type Frontier,
  frontierRoot,
  type NoteSigner,
  type Signer,
  signCheckpoint,
  type TreeNode,
} from '@sudoagent/crypto'
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

/** Where a ledger stands. */
export interface LogState {
  readonly head: Head
  readonly frontier: Frontier
  /** Null before the first entry. */
  readonly ring: KeyRing | null
}

export const EMPTY_STATE: LogState = { head: EMPTY_HEAD, frontier: EMPTY_FRONTIER, ring: null }

/** Who writes. */
export interface Writer {
  readonly signer: Signer | null
  /** The origin that the caller asks for; null leaves it to the ledger. */
  readonly origin: string | null
  readonly clock: () => Date
  /** A new UUIDv4. */
  readonly generateId: () => string
}

/** Options of a writer, the same for every store. */
export interface WriterOptions {
  /** Signs every entry, and the head. Without it entries are unsigned. A ledger that was begun with a signer takes no unsigned entry. */
  readonly signer?: Signer
  /**
   * The name of the log for good, best a URL without scheme (`example.com/agents/ledger`). A new ledger gets it; one that is there must have
   * it. Unless given, a new ledger is called `sudoagent.dev/ledger/` and 32 hex digits.
   */
  readonly origin?: string
  /** Read once for each entry, under the ledger's lock. */
  readonly clock?: () => Date
  /** Makes the id of a new ledger, a UUIDv4. */
  readonly generateId?: () => string
}

/** @throws TypeError for an origin that cannot name a log */
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

/** Nothing was given to be recorded, and the ledger has begun. */
class AlreadyBegun extends LedgerError {
  constructor() {
    super('ENTRY_REFUSED', 'nothing was given to be recorded')
  }
}

/** `LedgerWriter.begin`, for a store. @param write - takes one step, under the ledger's lock */
export async function writeGenesis(write: (work: AppendRequest) => Promise<unknown>): Promise<void> {
  try {
    await write({ drafts: [] })
  } catch (error) {
    if (!(error instanceof AlreadyBegun)) throw error
  }
}

/** `LedgerWriter.aheadMs`, for a store. @param recordedAt - the ledger's time; null when its last entry does not say */
export function aheadOf(recordedAt: string | null, { clock }: Pick<Writer, 'clock'>): number {
  const aheadMs = recordedAt === null ? 0 : Date.parse(recordedAt) - clock().getTime()
  return Number.isNaN(aheadMs) ? 0 : aheadMs
}

/** Makes the block of a control entry, when its place in the ledger is known. */
export type MakeControl = (at: {
  readonly ring: KeyRing
  readonly signedBy: string | null
  readonly position: number
}) => ControlBlock | Promise<ControlBlock>

/** What is to be recorded: calls, or one control entry. */
export type AppendRequest = { readonly drafts: readonly EncodedDraft[] } | { readonly control: MakeControl }

export interface CommitPlan {
  /** In the order of the ledger; before the first drafts of a new one stands its genesis. */
  readonly entries: readonly LinkedEntry[]
  /** Those that were asked for. */
  readonly asked: readonly LinkedEntry[]
  /** Nodes that are complete from now on, in the order in which they became so. */
  readonly nodes: readonly TreeNode[]
  /** The head: a signed note, or the three lines of a checkpoint when nobody signs. */
  readonly checkpoint: string
  readonly state: LogState
}

/**
 * Refuses a writer whose entries the ledger would not count.
 *
 * @throws LedgerError LEDGER_FINISHED (it was closed for good), KEY_REFUSED (no key, or not one of the ledger's), ORIGIN_REFUSED
 */
export function refuseWriter(ring: KeyRing | null, { signer, origin }: Writer): void {
  if (ring === null) return
  if (ring.closedAt !== null) {
    throw new LedgerError('LEDGER_FINISHED', `the ledger was closed for good with entry ${ring.closedAt}`, {
      hint: 'begin a new one',
    })
  }
  if (origin !== null && origin !== ring.origin) {
    throw new LedgerError('ORIGIN_REFUSED', `the origin of the ledger is \`${ring.origin}\`, not \`${origin}\``, {
      hint: 'is this the right file? the origin of a ledger never changes',
    })
  }
  if (!ring.entriesSigned || (signer !== null && mayFollow(ring, signer.keyId))) return
  const why = signer === null ? 'no key was given' : `key \`${signer.keyId}\` may not sign it`
  throw new LedgerError('KEY_REFUSED', `the ledger wants every entry signed, and ${why}`, {
    hint: '`sudoagent inspect` shows its keys, `sudoagent key rotate` adds one',
  })
}

/**
 * Takes one step. Pure but for the signer, the clock and the new ledger's id.
 *
 * @throws LedgerError as `refuseWriter`; ENTRY_REFUSED for a control entry that the ledger's rules forbid; LEDGER_WRITE_FAILED when the signer
 * or the clock fails
 */
export async function advance(work: AppendRequest, state: LogState, writer: Writer): Promise<CommitPlan> {
  refuseWriter(state.ring, writer)
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

/** The head of a tree: signed when there is a signer. */
export async function headOf(origin: string, frontier: Frontier, signer: Signer | null): Promise<string> {
  const checkpoint = { origin, size: frontier.size, root: frontierRoot(frontier), extensions: [] }
  if (signer === null) return encodeCheckpoint(checkpoint)
  return signCheckpoint(checkpoint, [headSigner(origin, signer)])
}

/** Made once for each signer: a note key costs more than the signature. */
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
    throw new LedgerError('ENTRY_REFUSED', 'the ledger has no entry yet', { hint: 'it begins with the first call' })
  }
  const checkpoint = await make({ ring, signedBy: signer?.keyId ?? null, position: head.size + 1 })
  return { event: 'checkpoint', created_at: formatTimestamp(clock()), checkpoint }
}

/** The ring behind a control entry of our own, which must be one that a verifier accepts. */
function ringBehind(
  ring: KeyRing | null,
  draft: ControlDraft,
  entry: LinkedEntry | undefined,
  writer: Writer,
): KeyRing {
  if (entry === undefined) throw new LedgerError('ENTRY_REFUSED', 'nothing was given to be recorded')
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
  throw new LedgerError('ENTRY_REFUSED', `the ledger does not take this entry: ${step.problem}`)
}

/** Adds a key, which signs for itself. The entry is signed by the writer's own key. */
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

/** Takes a key away; it may be the one that signs this. */
export function retireKey(keyId: string): MakeControl {
  return () => ({ kind: 'key_retired', key_id: keyId })
}

/** Ends the ledger. */
export function sealLedger(): MakeControl {
  return ({ position }) => ({ kind: 'closed', size: position })
}
