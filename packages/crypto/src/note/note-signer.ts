/** Plain Ed25519 signatures of notes: type 0x01 of C2SP signed-note, over the unchanged text. */
import { isBytes } from '../bytes/bytes.js'
import { CryptoError } from '../error.js'
import { SIGNATURE_BYTES } from '../key/curve-check.js'
import { createVerifier, type SignatureProvider, type Signer } from '../key/signature.js'
import type { NoteSigner, NoteVerifier } from './note.js'
import { createNoteKey, type NoteKey } from './note-key.js'

/**
 * Makes a signer of notes with a name.
 *
 * @param signer - may be asynchronous (a key service)
 * @returns a signer with its `key`, for the vkey; its `sign` rejects with `SIGNATURE_INVALID` when the result of
 *   the given signer is not an Ed25519 signature
 * @throws CryptoError `KEY_INVALID` when the name is not a valid key name
 */
export function createNoteSigner(name: string, signer: Signer): NoteSigner & { readonly key: NoteKey } {
  const key = createNoteKey(name, signer.publicKey)
  return Object.freeze({ name, keyHash: key.keyHash, key, sign: (text: Uint8Array) => signWith(signer, text) })
}

/**
 * Makes a verifier of notes signed by one key.
 *
 * @throws CryptoError `KEY_WRONG_TYPE` for a witness's key, whose signatures do not cover the text alone; errors of
 *   `createVerifier`
 */
export function createNoteVerifier(key: NoteKey, provider?: SignatureProvider): NoteVerifier {
  if (key.type !== 'ed25519') {
    throw new CryptoError('KEY_WRONG_TYPE', 'the key of a witness was given where the key of a log is needed')
  }
  const { name, keyHash } = createNoteKey(key.name, key.publicKey)
  const { verify } = createVerifier(key.publicKey, provider)
  return Object.freeze({ name, keyHash, verify })
}

/**
 * Signs a message; returns 64 bytes.
 *
 * @throws CryptoError `SIGNATURE_INVALID` when the signer returns any other value
 */
export async function signWith(signer: Signer, message: Uint8Array): Promise<Uint8Array> {
  const signature = await signer.sign(message)
  if (isBytes(signature) && signature.length === SIGNATURE_BYTES) return signature
  throw new CryptoError('SIGNATURE_INVALID', `the signer did not return a signature of ${SIGNATURE_BYTES} bytes`)
}
