/**
 * Cosignatures (https://c2sp.org/tlog-cosignature, version 1): a witness states that, at a given time, a checkpoint
 * was the largest checkpoint of the log that the witness had seen, and that the checkpoint extends all earlier
 * checkpoints. Cosignatures have type 0x04 in C2SP signed-note:
 *
 *     signature = u64 big-endian time ‖ Ed25519("cosignature/v1\ntime 1679315147\n" + checkpoint text)
 *
 * The time is a Unix time in whole seconds.
 */
import { concatBytes } from '../bytes/bytes.js'
import { CryptoError } from '../error.js'
import { SIGNATURE_BYTES } from '../key/curve-check.js'
import { createVerifier, type SignatureProvider, type Signer } from '../key/signature.js'
import { parseCheckpoint } from './checkpoint.js'
import type { NoteSigner, NoteVerifier, VerifiedSignature } from './note.js'
import { createNoteKey, type NoteKey } from './note-key.js'
import { signWith } from './note-signer.js'
import { noteBytes } from './note-text.js'

const TIME_BYTES = 8

/**
 * Creates the signer of a witness, for `signNote` and `createSignature`. The signer signs only checkpoints. Before
 * signing, the witness must check that the checkpoint extends the previous checkpoint, and must store the new
 * checkpoint.
 *
 * @param name - the key name of the witness
 * @param signer - a signer, which may be asynchronous. Its key must sign only cosignatures, and only under this
 *   name.
 * @param clock - returns the Unix time in seconds; called for every signature
 * @returns the signer and its `key`, for the vkey. `sign` rejects with `CHECKPOINT_INVALID` for text that is not a
 *   checkpoint, and with RangeError if the clock does not return whole seconds.
 * @throws CryptoError `KEY_INVALID` if the name is not a valid key name
 */
export function createCosigner(
  name: string,
  signer: Signer,
  clock: () => number,
): NoteSigner & { readonly key: NoteKey } {
  const key = createNoteKey(name, signer.publicKey, 'cosignature')
  const sign = async (text: Uint8Array): Promise<Uint8Array> => {
    const time = clock()
    if (!Number.isSafeInteger(time) || time < 0)
      throw new RangeError('the clock must return Unix time in whole seconds')
    const head = new Uint8Array(TIME_BYTES)
    new DataView(head.buffer).setBigUint64(0, BigInt(time))
    return concatBytes(head, await signWith(signer, cosignedMessage(time, text)))
  }
  return Object.freeze({ name, keyHash: key.keyHash, key, sign })
}

/**
 * Creates a verifier for the cosignatures of one witness. The verifier refuses signatures of text that is not a
 * checkpoint, and times above 2^53 − 1.
 *
 * @throws CryptoError `KEY_WRONG_TYPE` for a key that is not a witness key; errors of `createVerifier`
 */
export function createCosignatureVerifier(key: NoteKey, provider?: SignatureProvider): NoteVerifier {
  if (key.type !== 'cosignature') {
    throw new CryptoError('KEY_WRONG_TYPE', 'a log key was given where a witness key is needed')
  }
  const { name, keyHash } = createNoteKey(key.name, key.publicKey, 'cosignature')
  const verifier = createVerifier(key.publicKey, provider)
  const verify = (text: Uint8Array, signature: Uint8Array): boolean => {
    try {
      const time = timeOf(signature)
      return time !== null && verifier.verify(cosignedMessage(time, text), signature.subarray(TIME_BYTES))
    } catch {
      // The text is not a checkpoint, so the cosignature is not valid.
      return false
    }
  }
  return Object.freeze({ name, keyHash, verify })
}

/**
 * Returns the time of a cosignature as stated by the witness: Unix time in seconds. The time is not compared with
 * any clock.
 *
 * @throws TypeError for a signature that is not a cosignature
 */
export function cosignatureTime(signature: VerifiedSignature): number {
  const time = timeOf(signature.bytes)
  if (time === null) throw new TypeError('the signature is not a cosignature')
  return time
}

function timeOf(signature: Uint8Array): number | null {
  if (signature.length !== TIME_BYTES + SIGNATURE_BYTES) return null
  const time = Number(new DataView(signature.buffer, signature.byteOffset).getBigUint64(0))
  return Number.isSafeInteger(time) ? time : null
}

/** @throws CryptoError `CHECKPOINT_INVALID` */
function cosignedMessage(time: number, text: Uint8Array): Uint8Array {
  parseCheckpoint(text)
  return concatBytes(noteBytes(`cosignature/v1\ntime ${time}\n`), text)
}
