/**
 * Cosignatures (https://c2sp.org/tlog-cosignature, version 1): a witness states that, at a given time, this
 * checkpoint was the largest one of the log that it had seen, and that it extends all earlier ones. Type 0x04 of
 * C2SP signed-note:
 *
 *     signature = u64 big-endian time ‖ Ed25519("cosignature/v1\ntime 1679315147\n" + text of the checkpoint)
 *
 * Times are whole seconds since 1970.
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
 * Makes a witness's signer, for `signNote` and `createSignature`. It signs only checkpoints. Before it signs, the
 * witness must check that a checkpoint extends the previous one, and store it.
 *
 * @param name - of the witness
 * @param signer - may be asynchronous. Its key must sign nothing but cosignatures, under this name only.
 * @param clock - seconds since 1970, read for every signature
 * @returns a signer with its `key`, for the vkey; its `sign` rejects with `CHECKPOINT_INVALID` for text that is not
 *   a checkpoint, and with RangeError when the clock does not return whole seconds
 * @throws CryptoError `KEY_INVALID` when the name is not a valid key name
 */
export function createCosigner(
  name: string,
  signer: Signer,
  clock: () => number,
): NoteSigner & { readonly key: NoteKey } {
  const key = createNoteKey(name, signer.publicKey, 'cosignature')
  const sign = async (text: Uint8Array): Promise<Uint8Array> => {
    const time = clock()
    if (!Number.isSafeInteger(time) || time < 0) throw new RangeError('the clock must give whole seconds since 1970')
    const head = new Uint8Array(TIME_BYTES)
    new DataView(head.buffer).setBigUint64(0, BigInt(time))
    return concatBytes(head, await signWith(signer, cosignedMessage(time, text)))
  }
  return Object.freeze({ name, keyHash: key.keyHash, key, sign })
}

/**
 * Makes a verifier of one witness's cosignatures. It refuses signatures over text that is not a checkpoint, and
 * times beyond 2^53 − 1.
 *
 * @throws CryptoError `KEY_WRONG_TYPE` for a key that is not a witness's; errors of `createVerifier`
 */
export function createCosignatureVerifier(key: NoteKey, provider?: SignatureProvider): NoteVerifier {
  if (key.type !== 'cosignature') {
    throw new CryptoError('KEY_WRONG_TYPE', 'the key of a log was given where the key of a witness is needed')
  }
  const { name, keyHash } = createNoteKey(key.name, key.publicKey, 'cosignature')
  const verifier = createVerifier(key.publicKey, provider)
  const verify = (text: Uint8Array, signature: Uint8Array): boolean => {
    try {
      const time = timeOf(signature)
      return time !== null && verifier.verify(cosignedMessage(time, text), signature.subarray(TIME_BYTES))
    } catch {
      // A cosignature is valid only over a checkpoint.
      return false
    }
  }
  return Object.freeze({ name, keyHash, verify })
}

/**
 * The time of a cosignature in seconds since 1970, as stated by the witness. It is not compared with any clock.
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
