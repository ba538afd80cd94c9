/**
 * Implements a witness (https://c2sp.org/tlog-witness). A witness cosigns a checkpoint of a known log if the tree
 * extends the tree that was cosigned last, and stores the checkpoint before it returns the cosignature. The
 * cosignatures therefore never cover two forks of a log, even if the log signs both.
 *
 * Input is the request bytes, output is an HTTP answer. All side effects go through the store, the signer and the
 * clock.
 */
import { CryptoError, type Signer } from '@sudoagent/crypto'
import {
  createCosigner,
  createNoteVerifier,
  createSignature,
  encodeNote,
  encodeSignatureLine,
  type NoteKey,
  type NoteVerifier,
  openCheckpoint,
  type VerifiedCheckpoint,
} from '@sudoagent/crypto/note'
import { verifyConsistency } from '@sudoagent/crypto/tree'
import { parseAddCheckpoint, SIZE_TYPE, type Submission, type UnverifiedSubmission } from './add-checkpoint.js'
import { WitnessError } from './error.js'
import { isTime, type StoredCheckpoint, type WitnessStore } from './store.js'

export interface WitnessOptions {
  /** Name of the witness, preferably a URL without the scheme. */
  readonly name: string
  /** Signs the cosignatures. The key must not sign anything else. The signer may be asynchronous (a key service). */
  readonly signer: Signer
  /**
   * Keys of the logs to cosign. The name of each key is the log's origin; while a log changes its key, several keys
   * may have the same name.
   */
  readonly logs: readonly NoteKey[]
  readonly store: WitnessStore
  /** Returns the current Unix time in whole seconds. Default: the system clock. */
  readonly clock?: () => number
}

/** The answer to a request, for an HTTP server. */
export interface WitnessAnswer {
  readonly status: 200 | 400 | 403 | 404 | 409 | 422
  readonly contentType: string
  /** Ends in a line feed. Contains no data from the request. */
  readonly body: string
}

export interface Witness {
  /** The witness key, from which `encodeVkey` creates the vkey. */
  readonly key: NoteKey
  /**
   * Answers a request body. Rejects if the store, the signer or the clock fails; in that case, nothing was
   * cosigned.
   */
  addCheckpoint(request: Uint8Array): Promise<WitnessAnswer>
}

/**
 * How much earlier than the last cosignature for a log the clock may be, in seconds: allows for a time
 * synchronisation step. Within this limit, the witness uses the time of the last cosignature again. Beyond the limit,
 * the witness does not cosign.
 */
const CLOCK_BEHIND_SECONDS_MAX = 60

/** Maximum number of attempts to store a checkpoint while other requests for the same log are cosigned. */
const RECORD_TRIES = 8

const TEXT_TYPE = 'text/plain; charset=utf-8'

/**
 * Creates a witness.
 *
 * @throws CryptoError `KEY_INVALID` for an invalid name, `KEY_WRONG_TYPE` if a log key is a witness key; TypeError
 *   without a log
 * @example
 *   const witness = createWitness({ name: 'witness.example/w1', signer, logs: [parseVkey(vkey)], store })
 */
export function createWitness({ name, signer, logs, store, clock = systemClock }: WitnessOptions): Witness {
  if (logs.length === 0) throw new TypeError('`logs` must contain at least one log')
  const verifiers = groupByName(logs)
  const { key } = createCosigner(name, signer, clock)

  async function addCheckpoint(request: Uint8Array): Promise<WitnessAnswer> {
    const submission = readSubmission(request)
    if (typeof submission === 'string') return text(400, submission)
    const known = verifiers.get(submission.claim.origin)
    if (known === undefined) return text(404, 'this witness does not know the log')
    const checkpoint = openSubmission(submission, known)
    if (checkpoint === null) return text(403, 'the checkpoint is not signed by a known log key')
    for (let tries = 0; tries < RECORD_TRIES; tries += 1) {
      const stored = await store.read(checkpoint.origin)
      const refusal = judge(submission, checkpoint, stored)
      if (refusal !== null) return refusal
      // The time is read before the checkpoint is stored. A larger tree can be cosigned only after the checkpoint is
      // stored, and therefore not at an earlier time.
      const time = timeFrom(clock, stored?.time ?? 0)
      // If a concurrent request has stored a later time or a different size, everything is checked again.
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

/**
 * Compares a checkpoint that the log signed with the stored checkpoint. Returns the refusal; null if the checkpoint
 * can be cosigned.
 */
function judge(
  { oldSize, proof }: Submission,
  { size, root }: VerifiedCheckpoint,
  stored: StoredCheckpoint | null,
): WitnessAnswer | null {
  if (oldSize > size) return text(400, 'the old size is larger than the checkpoint size')
  if (oldSize !== (stored?.size ?? 0)) return conflict(stored)
  if (stored === null || oldSize === 0)
    return proof.length === 0 ? null : text(422, 'a request from size 0 must not have a proof')
  // The body contains no size, because the request cannot succeed with any size.
  if (oldSize === size && !isSame(stored.root, root)) return text(409, 'a different root was cosigned at this size')
  if (verifyConsistency(oldSize, size, stored.root, root, proof)) return null
  return text(422, 'the proof does not show that the tree extends the cosigned tree')
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

/** The stored note contains only the signatures by the log; other signatures are unverified. */
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
 * A cosignature states that the witness had seen no larger tree at that time, so the times for a log must not
 * decrease.
 *
 * @param last - time of the last cosignature for the log
 * @throws WitnessError `CLOCK_BEHIND`; RangeError for an invalid clock
 */
function timeFrom(clock: () => number, last: number): number {
  const now = clock()
  if (!isTime(now)) throw new RangeError('the clock must return a Unix time in whole seconds')
  if (last - now <= CLOCK_BEHIND_SECONDS_MAX) return Math.max(now, last)
  throw new WitnessError('CLOCK_BEHIND', `the clock is ${last - now} s earlier than the last cosignature for the log`, {
    hint: 'correct the witness clock; a cosignature must not be earlier than the previous cosignature',
  })
}

const isSame = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i])
