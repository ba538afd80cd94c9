/**
 * A witness (https://c2sp.org/tlog-witness): cosigns a checkpoint of a log it knows when the tree extends the one it
 * cosigned last, and puts it on record before anybody gets the cosignature. So no two of its cosignatures ever vouch for
 * histories of a log of which neither extends the other, whatever the log signs.
 *
 * Pure but for its store, its signer and its clock: bytes of a request in, an HTTP answer out.
 */
import {
  CryptoError,
  createCosigner,
  createNoteVerifier,
  createSignature,
  encodeNote,
  encodeSignatureLine,
  type NoteKey,
  type NoteVerifier,
  openCheckpoint,
  type Signer,
  type VerifiedCheckpoint,
  verifyConsistency,
} from '@sudoagent/crypto'
import { parseAddCheckpoint, SIZE_TYPE, type Submission, type UnverifiedSubmission } from './add-checkpoint.js'
import { WitnessError } from './error.js'
import { isTime, type StoredCheckpoint, type WitnessStore } from './store.js'

export interface WitnessOptions {
  /** Of the witness; best a URL without its scheme. */
  readonly name: string
  /** Its key must sign nothing but this witness's cosignatures. May be asynchronous (a key service). */
  readonly signer: Signer
  /** Keys of the logs it watches, each under the log's origin; several of one name while a log changes its key. */
  readonly logs: readonly NoteKey[]
  readonly store: WitnessStore
  /** Whole seconds since 1970; the system's clock unless given. */
  readonly clock?: () => number
}

/** An answer to a request, for whatever speaks HTTP. */
export interface WitnessAnswer {
  readonly status: 200 | 400 | 403 | 404 | 409 | 422
  readonly contentType: string
  /** Ends in a line feed. Holds nothing that the request said. */
  readonly body: string
}

export interface Witness {
  /** For its vkey (`encodeVkey`). */
  readonly key: NoteKey
  /** Answers the body of a request. Rejects when the store, the signer or the clock fails: then nothing was cosigned. */
  addCheckpoint(request: Uint8Array): Promise<WitnessAnswer>
}

/**
 * Seconds that the clock may be before the last cosignature of a log: as much as a step of time synchronisation. The last
 * time is then used again. A clock that is further behind says nothing about the time, and nothing is cosigned.
 */
const CLOCK_BEHIND_SECONDS_MAX = 60

/** Attempts to record a checkpoint while others cosign the same one. */
const RECORD_TRIES = 8

const TEXT_TYPE = 'text/plain; charset=utf-8'

/**
 * Makes a witness.
 *
 * @throws CryptoError `KEY_INVALID` for a name that cannot name a key, `KEY_WRONG_TYPE` for a log's key that is a
 * witness's; TypeError without any log.
 * @example
 * const witness = createWitness({ name: 'witness.example/w1', signer, logs: [parseVkey(vkey)], store })
 */
export function createWitness({ name, signer, logs, store, clock = systemClock }: WitnessOptions): Witness {
  if (logs.length === 0) throw new TypeError('`logs` must name at least one log: a witness of none refuses everything')
  const verifiers = groupByName(logs)
  const { key } = createCosigner(name, signer, clock)

  async function addCheckpoint(request: Uint8Array): Promise<WitnessAnswer> {
    const submission = readSubmission(request)
    if (typeof submission === 'string') return text(400, submission)
    const known = verifiers.get(submission.claim.origin)
    if (known === undefined) return text(404, 'the log is not known here')
    const checkpoint = openSubmission(submission, known)
    if (checkpoint === null) return text(403, 'the checkpoint is not signed by a known key of the log')
    for (let tries = 0; tries < RECORD_TRIES; tries += 1) {
      const stored = await store.read(checkpoint.origin)
      const refusal = judge(submission, checkpoint, stored)
      if (refusal !== null) return refusal
      // Before it is on record: a larger tree can only be cosigned after that, at a time that is no earlier.
      const time = timeFrom(clock, stored?.time ?? 0)
      // Another request that is recorded meanwhile may have a later time, or another size: both are judged again.
      if (!(await store.swap(checkpoint.origin, submission.oldSize, recordOf(checkpoint, time)))) continue
      const cosignature = await createSignature(
        checkpoint.note.text,
        createCosigner(name, signer, () => time),
      )
      return { status: 200, contentType: TEXT_TYPE, body: encodeSignatureLine(cosignature) }
    }
    return conflict(await store.read(checkpoint.origin))
  }

  return Object.freeze({ key, addCheckpoint })
}

/** What speaks against cosigning a checkpoint that the log signed, given what is on record; or null. */
function judge(
  { oldSize, proof }: Submission,
  { size, root }: VerifiedCheckpoint,
  stored: StoredCheckpoint | null,
): WitnessAnswer | null {
  if (oldSize > size) return text(400, 'the old size is larger than that of the checkpoint')
  if (oldSize !== (stored?.size ?? 0)) return conflict(stored)
  if (stored === null || oldSize === 0)
    return proof.length === 0 ? null : text(422, 'there is nothing to prove from size 0')
  // No size in the body: there is none with which the same request would succeed.
  if (oldSize === size && !isSame(stored.root, root)) return text(409, 'another root was cosigned at this size')
  if (verifyConsistency(oldSize, size, stored.root, root, proof)) return null
  return text(422, 'the proof does not show that the tree extends the one that was cosigned')
}

function readSubmission(request: Uint8Array): UnverifiedSubmission | string {
  try {
    return parseAddCheckpoint(request)
  } catch (error) {
    if (error instanceof WitnessError) return error.message
    throw error
  }
}

function openSubmission({ checkpoint }: Submission, logs: readonly NoteVerifier[]): VerifiedCheckpoint | null {
  try {
    return openCheckpoint(checkpoint, logs)
  } catch (error) {
    if (error instanceof CryptoError && ['KEY_UNKNOWN', 'SIGNATURE_INVALID'].includes(error.code)) return null
    throw error
  }
}

function groupByName(logs: readonly NoteKey[]): ReadonlyMap<string, readonly NoteVerifier[]> {
  const groups = new Map<string, NoteVerifier[]>()
  for (const log of logs) groups.set(log.name, [...(groups.get(log.name) ?? []), createNoteVerifier(log)])
  return groups
}

/** With the log's signatures alone: the others may be anything. */
const recordOf = ({ size, root, note, signatures }: VerifiedCheckpoint, time: number): StoredCheckpoint => ({
  size,
  root,
  note: encodeNote({ text: note.text, signatures }),
  time,
})

const conflict = (stored: StoredCheckpoint | null): WitnessAnswer => ({
  status: 409,
  contentType: SIZE_TYPE,
  body: `${stored?.size ?? 0}\n`,
})

const text = (status: WitnessAnswer['status'], says: string): WitnessAnswer => ({
  status,
  contentType: TEXT_TYPE,
  body: `${says}\n`,
})

const systemClock = (): number => Math.floor(Date.now() / 1000)

/**
 * A cosignature says that no larger tree was seen at its time, so that the times of a log must not go back.
 *
 * @param last - time of the last cosignature of the log
 * @throws WitnessError `CLOCK_BEHIND`; RangeError for a clock that gives no time
 */
function timeFrom(clock: () => number, last: number): number {
  const now = clock()
  if (!isTime(now)) throw new RangeError('the clock must give whole seconds since 1970')
  if (last - now <= CLOCK_BEHIND_SECONDS_MAX) return Math.max(now, last)
  throw new WitnessError('CLOCK_BEHIND', `the clock is ${last - now} s before the last cosignature of the log`, {
    hint: 'set the clock of the witness; a cosignature must not have an earlier time than the one before',
  })
}

const isSame = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i])
