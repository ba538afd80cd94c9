/**
 * Requests a cosignature from a witness (https://c2sp.org/tlog-witness, `add-checkpoint`), starting from the size
 * that the witness recorded. Answers are not trusted: the new signature in the returned note was verified.
 */
import { CryptoError } from '@sudoagent/crypto'
import { decodeUtf8 } from '@sudoagent/crypto/bytes'
import {
  cosignatureTime,
  createCosignatureVerifier,
  encodeNote,
  NOTE_SIGNATURES_MAX,
  type NoteKey,
  type NoteVerifier,
  openNote,
  parseCheckpoint,
  parseNote,
  type UnverifiedNote,
  type VerifiedSignature,
} from '@sudoagent/crypto/note'
import { TREE_SIZE_MAX } from '@sudoagent/crypto/tree'
import { encodeAddCheckpoint, SIZE_TYPE } from './add-checkpoint.js'
import { WitnessError } from './error.js'
import { endpointOf, post, type Reply } from './post.js'

/**
 * If the first request has the wrong old size, the witness rejects it and returns the recorded size. That size can be
 * outdated by the second request, because another client may have submitted a checkpoint. So a third is allowed.
 */
const TRIES_MAX = 3

const TIMEOUT_MS = 10_000

/** Refusal reasons are truncated to this length. */
const REASON_LENGTH_MAX = 120

const SIZE = /^(0|[1-9][0-9]{0,15})\n$/

export interface CosignOptions {
  /** The witness's submission prefix: http or https, without user name, query or fragment. */
  readonly url: string
  /** The expected key, of type `cosignature`. */
  readonly witness: NoteKey
  /** The checkpoint as a signed note, which may already contain other cosignatures. */
  readonly checkpoint: string
  /**
   * Proves that the checkpoint's tree extends the tree of size `oldSize`, where 0 < oldSize < newSize. Called at
   * most once per attempt.
   */
  readonly proveConsistency: (oldSize: number, newSize: number) => Promise<readonly Uint8Array[]>
  /** The last cosigned size, if known. Default: 0. A wrong size costs one more request. */
  readonly oldSize?: number
  /** Time limit for each of up to three requests, in milliseconds. Default: 10,000. */
  readonly timeoutMs?: number
  readonly fetch?: typeof globalThis.fetch
}

export interface CosignedCheckpoint {
  /**
   * The checkpoint with its signatures and the new cosignature, which replaces an older cosignature by the same
   * key.
   */
  readonly note: string
  /** Time of the cosignature according to the witness, as Unix time in seconds. */
  readonly time: number
}

/**
 * Requests a cosignature for a checkpoint.
 *
 * @throws WitnessError (as a rejection):
 * - `WITNESS_URL_INVALID`, `WITNESS_UNREACHABLE`
 * - `WITNESS_REFUSED`: the witness does not know the log or the log key, is overloaded, or served other writers in
 *   every attempt
 * - `WITNESS_ANSWER_INVALID`: the answer is not a cosignature of this checkpoint by this key
 * - `WITNESS_AHEAD`: the witness cosigned a larger tree of this log. The checkpoint is outdated, or the log forked
 *   or was rolled back; `witnessSize` is the larger size
 * - `WITNESS_CONFLICT`: the witness cosigned a tree that this checkpoint does not extend, because the log forked or
 *   its history was rewritten
 *
 * CryptoError `NOTE_INVALID` or `CHECKPOINT_INVALID` if the checkpoint is invalid or has no room for a signature,
 * `KEY_WRONG_TYPE` if the key is not a witness key; RangeError if the old size is larger than the checkpoint size;
 * any error that `proveConsistency` throws, and `SUBMISSION_INVALID` for an invalid proof.
 * @example
 *   const proveConsistency = (a, b) => consistencyProof(a, b, readHash)
 *   const { note } = await cosign({ url, witness, checkpoint, proveConsistency })
 */
export async function cosign({
  url,
  witness,
  checkpoint,
  proveConsistency,
  oldSize = 0,
  timeoutMs = TIMEOUT_MS,
  fetch = globalThis.fetch,
}: CosignOptions): Promise<CosignedCheckpoint> {
  const endpoint = endpointOf(url, 'add-checkpoint')
  const verifier = createCosignatureVerifier(witness)
  const unsigned = withoutSignatureOf(verifier, parseNote(checkpoint))
  const { size } = parseCheckpoint(unsigned.text)
  if (!Number.isSafeInteger(oldSize) || oldSize < 0 || oldSize > size) {
    throw new RangeError('`oldSize` must be an integer from 0 to the checkpoint size')
  }
  let from = oldSize
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const proof = 0 < from && from < size ? await proveConsistency(from, size) : []
    const reply = await post(endpoint, encodeAddCheckpoint({ oldSize: from, proof, checkpoint }), { timeoutMs, fetch })
    if (reply.status === 200) return accept(reply, unsigned, verifier)
    from = nextSize(reply, from, size)
  }
  throw new WitnessError(
    'WITNESS_REFUSED',
    `the witness had stored a different size in each of ${TRIES_MAX} attempts`,
    {
      hint: 'another client is submitting checkpoints of the same log; try again',
      witnessSize: from,
    },
  )
}

/** Returns the recorded size if the witness sent it and another request may succeed. Throws otherwise. */
function nextSize(reply: Reply, from: number, size: number): number {
  const { status, contentType, body } = reply
  // If both sizes are equal, the proof is empty, so the conflict must be a different root.
  if ((status === 422 && from > 0) || (status === 409 && from === size && contentType !== SIZE_TYPE)) {
    throw conflict(from)
  }
  if (status !== 409) throw refused(reply)
  const claimed = Number(SIZE.exec(textOf(body) ?? '')?.[1] ?? Number.NaN)
  if (contentType !== SIZE_TYPE || !(claimed <= TREE_SIZE_MAX)) {
    throw invalid('the witness rejected the size, but did not return the size that it stored')
  }
  if (claimed > size) throw ahead(claimed, size)
  if (claimed !== from) return claimed
  // If the root is wrong, some witnesses return the size from the request.
  throw from === size ? conflict(from) : invalid('the witness rejected the size that it returned before')
}

function accept({ body }: Reply, unsigned: UnverifiedNote, verifier: NoteVerifier): CosignedCheckpoint {
  const { name, keyHash, bytes, ...rest } = readCosignature(body, unsigned.text, verifier)
  const signatures = [...unsigned.signatures, { name, keyHash, bytes }]
  return {
    note: encodeNote({ text: unsigned.text, signatures }),
    time: cosignatureTime({ name, keyHash, bytes, ...rest }),
  }
}

/** Finds the witness's signature among the answer lines, which may include signatures by unknown keys. */
function readCosignature(body: Uint8Array, text: string, verifier: NoteVerifier): VerifiedSignature {
  const lines = textOf(body)
  try {
    const note = openNote(`${text}\n${lines ?? ''}`, [verifier])
    const [signature] = note.verified
    // A blank line among the signature lines would change the note text.
    if (signature !== undefined && note.text === text) return signature
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error
    if (error.code === 'KEY_UNKNOWN') throw invalid('the witness answered without a cosignature by the expected key')
    if (error.code === 'SIGNATURE_INVALID') throw invalid('the cosignature by the witness is not valid')
  }
  throw invalid('the witness did not answer with signature lines')
}

/** Removes one key's signatures from a note. The remaining note must have room for a new signature. */
function withoutSignatureOf({ name, keyHash }: NoteVerifier, { text, signatures }: UnverifiedNote): UnverifiedNote {
  const others = signatures.filter((signature) => signature.name !== name || signature.keyHash !== keyHash)
  if (others.length < NOTE_SIGNATURES_MAX) return { text, signatures: others }
  throw new CryptoError(
    'NOTE_INVALID',
    `the checkpoint has ${NOTE_SIGNATURES_MAX} signatures: there is no room for more`,
  )
}

function textOf(body: Uint8Array): string | null {
  try {
    return decodeUtf8(body)
  } catch {
    return null
  }
}

const HINTS: ReadonlyMap<number, string> = new Map([
  [
    404,
    'the witness does not know the log, or the URL is not its submission prefix; send the log vkey to the witness operator',
  ],
  [403, 'the witness knows the log with a different key; send the log vkey to the witness operator'],
  [413, 'the checkpoint has more signatures than the witness accepts'],
])

function refused({ status, body }: Reply): WitnessError {
  const [line = ''] = new TextDecoder().decode(body.subarray(0, 4 * REASON_LENGTH_MAX)).split('\n')
  const reason = line.slice(0, REASON_LENGTH_MAX).replaceAll('`', "'")
  const isRedirect = status >= 300 && status < 400
  const hint = isRedirect ? 'redirects are not followed; use the target address' : HINTS.get(status)
  return new WitnessError(
    'WITNESS_REFUSED',
    `the witness answered ${status}${reason === '' ? '' : `: \`${reason}\``}`,
    {
      hint: hint ?? 'try again later, or ask the witness operator',
    },
  )
}

const ahead = (claimed: number, size: number): WitnessError =>
  new WitnessError(
    'WITNESS_AHEAD',
    `the witness cosigned a tree of size ${claimed}, but the checkpoint has size ${size}`,
    {
      hint: 'submit the newest checkpoint; if this already is the newest checkpoint, an old copy of the log was restored or the log forked',
      witnessSize: claimed,
    },
  )

const conflict = (from: number): WitnessError =>
  new WitnessError(
    'WITNESS_CONFLICT',
    `the checkpoint does not extend the tree that the witness cosigned at size ${from}`,
    {
      hint: 'the log forked or its history was rewritten: keep both checkpoints as evidence',
      witnessSize: from,
    },
  )

const invalid = (message: string): WitnessError =>
  new WitnessError('WITNESS_ANSWER_INVALID', message, {
    hint: 'the answer was discarded; check the witness address',
  })
