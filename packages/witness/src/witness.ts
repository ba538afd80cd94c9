/**
 * A witness (https://c2sp.org/tlog-witness): cosigns a checkpoint of a known log if its tree extends the one
 * cosigned last, and stores it before it returns the cosignature. So its cosignatures never cover two histories of
 * a log that fork, whatever the log signs.
 *
 * Side effects only through its store, signer and clock: the bytes of a request in, an HTTP answer out.
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
  /** Name of the witness, preferably a URL without its scheme. */
  readonly name: string
  /** Its key must sign only cosignatures of this witness. May be asynchronous (a key service). */
  readonly signer: Signer
  /**
   * Keys of the logs to cosign, each with the log's origin as its name; several with one name while a log changes
   * its key.
   */
  readonly logs: readonly NoteKey[]
  readonly store: WitnessStore
  /** The current time in whole seconds since 1970. Default: the system clock. */
  readonly clock?: () => number
}

/** The answer to a request, for an HTTP server. */
export interface WitnessAnswer {
  readonly status: 200 | 400 | 403 | 404 | 409 | 422
  readonly contentType: string
  /** Ends in a line feed. Contains nothing of the request. */
  readonly body: string
}

export interface Witness {
  /** The key of the witness, for its vkey (`encodeVkey`). */
  readonly key: NoteKey
  /** Answers the body of a request. Rejects if the store, the signer or the clock fails; then nothing was cosigned. */
  addCheckpoint(request: Uint8Array): Promise<WitnessAnswer>
}

/**
 * How far the clock may be before the last cosignature of a log, in seconds: a step of time synchronisation. The last
 * time is then used again. With a larger difference, nothing is cosigned.
 */
const CLOCK_BEHIND_SECONDS_MAX = 60

/** Attempts to store a checkpoint while others cosign the same log. */
const RECORD_TRIES = 8

const TEXT_TYPE = 'text/plain; charset=utf-8'

/**
 * Creates a witness.
 *
 * @throws CryptoError `KEY_INVALID` for an invalid name, `KEY_WRONG_TYPE` for a witness key among the logs;
 *   TypeError without a log
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
    if (checkpoint === null) return text(403, 'the checkpoint is not signed by a known key of the log')
    for (let tries = 0; tries < RECORD_TRIES; tries += 1) {
      const stored = await store.read(checkpoint.origin)
      const refusal = judge(submission, checkpoint, stored)
      if (refusal !== null) return refusal
      // Before it is stored: a larger tree can only be cosigned after that, at the same or a later time.
      const time = timeFrom(clock, stored?.time ?? 0)
      // A concurrent request may have stored a later time or another size: both are checked again.
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

/** The refusal of a checkpoint signed by the log, given the stored one; null if it can be cosigned. */
function judge(
  { oldSize, proof }: Submission,
  { size, root }: VerifiedCheckpoint,
  stored: StoredCheckpoint | null,
): WitnessAnswer | null {
  if (oldSize > size) return text(400, 'the old size is larger than that of the checkpoint')
  if (oldSize !== (stored?.size ?? 0)) return conflict(stored)
  if (stored === null || oldSize === 0)
    return proof.length === 0 ? null : text(422, 'a request from size 0 must not have a proof')
  // No size in the body: the request cannot succeed with any size.
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

/** Only with the signatures of the log; others are unverified. */
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
 * A cosignature states that no larger tree was seen at its time, so the times of a log must not decrease.
 *
 * @param last - time of the last cosignature of the log
 * @throws WitnessError `CLOCK_BEHIND`; RangeError for an invalid clock
 */
function timeFrom(clock: () => number, last: number): number {
  const now = clock()
  if (!isTime(now)) throw new RangeError('the clock must give whole seconds since 1970')
  if (last - now <= CLOCK_BEHIND_SECONDS_MAX) return Math.max(now, last)
  throw new WitnessError('CLOCK_BEHIND', `the clock is ${last - now} s before the last cosignature of the log`, {
    hint: 'correct the clock of the witness; a cosignature must not be earlier than the previous one',
  })
}

const isSame = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i])
