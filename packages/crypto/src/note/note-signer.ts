/** Plain Ed25519 signatures of notes: C2SP signed-note type 0x01, computed over the unchanged text. */
import { isBytes } from '../bytes/bytes.js'
import { CryptoError } from '../error.js'
import { SIGNATURE_BYTES } from '../key/curve-check.js'
import { createVerifier, type SignatureProvider, type Signer } from '../key/signature.js'
import type { NoteSigner, NoteVerifier } from './note.js'
import { createNoteKey, type NoteKey } from './note-key.js'

/**
 * Creates a named signer for notes.
 *
 * @param signer - a signer, which may be asynchronous, such as a key service
 * @returns the note signer and its `key`, for the vkey. `sign` rejects with `SIGNATURE_INVALID` if the given signer
 *   does not return an Ed25519 signature.
 * @throws CryptoError `KEY_INVALID` if the name is not a valid key name
 */
export function createNoteSigner(name: string, signer: Signer): NoteSigner & { readonly key: NoteKey } {
  const key = createNoteKey(name, signer.publicKey)
  return Object.freeze({ name, keyHash: key.keyHash, key, sign: (text: Uint8Array) => signWith(signer, text) })
}

/**
 * Creates a verifier for notes signed by one key.
 *
 * @throws CryptoError `KEY_WRONG_TYPE` for a witness key, because witness signatures also cover a time; errors of
 *   `createVerifier`
 */
export function createNoteVerifier(key: NoteKey, provider?: SignatureProvider): NoteVerifier {
  if (key.type !== 'ed25519') {
    throw new CryptoError('KEY_WRONG_TYPE', 'a witness key was given where a log key is needed')
  }
  const { name, keyHash } = createNoteKey(key.name, key.publicKey)
  const { verify } = createVerifier(key.publicKey, provider)
  return Object.freeze({ name, keyHash, verify })
}

/**
 * Signs a message and returns the 64-byte signature.
 *
 * @throws CryptoError `SIGNATURE_INVALID` if the signer returns anything else
 */
export async function signWith(signer: Signer, message: Uint8Array): Promise<Uint8Array> {
  const signature = await signer.sign(message)
  if (isBytes(signature) && signature.length === SIGNATURE_BYTES) return signature
  throw new CryptoError('SIGNATURE_INVALID', `the signer did not return a signature of ${SIGNATURE_BYTES} bytes`)
}
