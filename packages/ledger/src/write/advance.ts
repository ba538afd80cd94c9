// Computes one step of a ledger. From drafts and the current state, it computes the linked entries, the new tree
// nodes, the new head and the next state (LEDGER-FORMAT §3–§5).
//
// A store makes the whole plan durable in one transaction or not at all, so the tree (RFC 6962) and the head (a C2SP
// tlog-checkpoint in a signed note) cover every entry. For example, the first append to a new, signed ledger:
//
//   advance({ drafts: [draft] }, EMPTY_STATE, writer)
//     entries      1: genesis (origin, keys, software), 2: the decision
//     results      2: the decision
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
import { type ControlDraft, isOrigin } from '../entry/control.js'
import { formatTimestamp } from '../entry/timestamp.js'
import { LedgerError } from '../error.js'
import { EMPTY_HEAD, type Head } from '../port/writer.js'
import { type KeyRing, mayFollow } from '../rules/key-ring.js'
import { type ControlRow, EMPTY_STANDING, type Standing } from '../standing/standing.js'
import { grow } from '../tree/grow.js'
import { Admission } from './admission.js'
import { type CallRecords, NO_CHANGES, NO_RECORDS, type QuestionChanges } from './call-records.js'
import { type EncodedDraft, encodeDraft } from './encode-draft.js'
import { type DraftResult, type LinkedEntry, linkBatch, readClock } from './link-batch.js'
import type { MakeControl } from './make-control.js'
import { signInTime, writeFailed } from './signing.js'
import { SOFTWARE } from './software.js'

/** The state of a ledger after its last entry. */
export interface LogState extends Standing {
  readonly head: Head
  readonly frontier: Frontier
}

export const EMPTY_STATE: LogState = { head: EMPTY_HEAD, frontier: EMPTY_FRONTIER, ...EMPTY_STANDING }

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

/**
 * Implements `LedgerWriter.aheadMs` for a store. @param recordedAt - the ledger time; null if the last entry does not
 * have a time
 */
export function aheadOf(recordedAt: string | null, { clock }: Pick<Writer, 'clock'>): number {
  const aheadMs = recordedAt === null ? 0 : Date.parse(recordedAt) - clock().getTime()
  return Number.isNaN(aheadMs) ? 0 : aheadMs
}

/** The entries to append: calls, or one control entry. */
export type AppendRequest = DraftsRequest | { readonly control: MakeControl }

interface DraftsRequest {
  readonly drafts: readonly EncodedDraft[]
}

export interface CommitPlan {
  /**
   * All entries, in ledger order, beginning with the genesis in a new ledger. Empty if nothing is to be recorded: the
   * store then changes nothing, and returns the results.
   */
  readonly entries: readonly LinkedEntry[]
  /** The result of each requested entry. */
  readonly results: readonly DraftResult[]
  /** The rows that these entries add to the control index. */
  readonly rows: readonly ControlRow[]
  /** The changes of the kept questions by these entries. */
  readonly questions: QuestionChanges
  /** Position of the last outcome that was given by request id; null if there is none. */
  readonly outcomeByIdAt: number | null
  /** Position of the entry that changed the keys; null if there is none. A step has at most one. */
  readonly ringAt: number | null
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
 * @param records - the recorded entries of the calls of the drafts. Default: none
 * @returns the plan; a draft that the rules of the ledger forbid has a LedgerError as its result: ENTRY_REFUSED;
 * STOPPED for an allowed call, or a question, that an open stop covers; QUESTION_CLOSED, QUESTIONS_FULL,
 * CLOCK_BEHIND_LEDGER, CALL_DECIDED or OUTCOME_RECORDED
 * @throws the errors of `requireAuthorizedWriter` and of a `MakeControl`; LEDGER_WRITE_FAILED if the signer or the
 * clock fails
 */
export async function advance(
  work: AppendRequest,
  state: LogState,
  writer: Writer,
  records: CallRecords = NO_RECORDS,
): Promise<CommitPlan> {
  requireAuthorizedWriter(state.ring, writer)
  // Almost every step: calls, and neither a stop nor a question concerns them.
  const isPlain = state.head.size > 0 && state.stops.size === 0 && 'drafts' in work && areFree(work, records)
  const checked = isPlain ? null : await checkedBatch(work, state, writer, records)
  const { entries, results } = checked ?? (await linkBatch((work as DraftsRequest).drafts, state.head, writer))
  const { rows: added, ringAt, questions, outcomeByIdAt } = checked ?? NOTHING_CHANGED
  const { ring, stops, needs, rows } = checked?.standing ?? state
  const last = entries[entries.length - 1]
  if (last === undefined || ring === null)
    return { entries: [], results, ...NOTHING_CHANGED, nodes: [], checkpoint: '', state }
  const { frontier, nodes } = grow(state.frontier, entries)
  const head = { size: last.position, entryHash: last.entryHash, recordedAt: last.recordedAt }
  const checkpoint = await headOf(ring.origin, frontier, writer.signer)
  const after = { head, frontier, ring, stops, needs, rows }
  return { entries, results, rows: added, questions, outcomeByIdAt, ringAt, nodes, checkpoint, state: after }
}

const NOTHING_CHANGED = { rows: [], ringAt: null, questions: NO_CHANGES, outcomeByIdAt: null }

/** Whether no question, and no other entry of the same call, concerns the drafts. */
function areFree({ drafts }: DraftsRequest, { hasQuestions, othersUntil }: CallRecords): boolean {
  return drafts.every(
    ({ question, answered, once, event, decidedAt }) =>
      question === null &&
      answered === null &&
      !once &&
      (event !== 'decision' || !hasQuestions) &&
      (decidedAt === null || decidedAt >= othersUntil),
  )
}

/** Links drafts that must be compared with the standing of the ledger, or that change it. */
async function checkedBatch(work: AppendRequest, state: LogState, writer: Writer, records: CallRecords) {
  const genesis = state.head.size === 0 ? [encodeDraft(genesisOf(writer))] : []
  const requested = 'control' in work ? await controlOf(work.control, state, writer, genesis.length) : work.drafts
  const admission = new Admission(state, records, writer.signer?.keyId ?? null)
  const linked = await linkBatch([...genesis, ...requested], state.head, writer, admission.admit)
  const results = linked.results.slice(genesis.length)
  const isInVain = results.every((result) => result instanceof LedgerError) && ('control' in work || results.length > 0)
  const { standing, rows, ringAt, questions, outcomeByIdAt } = admission
  return { entries: isInVain ? [] : linked.entries, results, standing, rows, ringAt, questions, outcomeByIdAt }
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

/** @param before - number of entries before this one in the same step */
async function controlOf(
  make: MakeControl,
  state: LogState,
  { signer, clock }: Writer,
  before: number,
): Promise<readonly EncodedDraft[]> {
  const checkpoint = await make({
    standing: state,
    signedBy: signer?.keyId ?? null,
    position: state.head.size + before + 1,
  })
  if (checkpoint === null) return []
  return [encodeDraft({ event: 'checkpoint', created_at: readClock(clock), checkpoint })]
}
