/**
 * Named keys, as used in C2SP signed notes (https://c2sp.org/signed-note). The name identifies the owner, the type
 * determines which message is signed, and a key hash in each signature identifies the key that signed:
 *
 *     key hash = SHA-256(name ‖ 0x0A ‖ type ‖ public key)[:4]
 *     vkey     = name + '+' + hex(key hash) + '+' + base64(type ‖ public key)
 *
 *     PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW
 *
 * The key hash is short: it is a lookup key and proves nothing.
 */
import { decodeBase64, encodeBase64 } from '../bytes/base64.js'
import { concatBytes } from '../bytes/bytes.js'
import { bytesToHex, sha256 } from '../bytes/hash.js'
import { CryptoError } from '../error.js'
import { makePublicKey, type PublicKey } from '../key/key.js'
import { isNoteLine, noteBytes } from './note-text.js'

/**
 * The message that a key signs. An `ed25519` key signs the text of a note; a `cosignature` key signs a checkpoint
 * and the time at which a witness saw it (`cosignature.ts`).
 */
export type NoteKeyType = 'ed25519' | 'cosignature'

/** An Ed25519 public key with a name. */
export interface NoteKey {
  /** For a log key, the origin of the log. */
  readonly name: string
  readonly type: NoteKeyType
  /** 8 lower-case hex digits. */
  readonly keyHash: string
  readonly publicKey: PublicKey
}

export const KEY_HASH_BYTES = 4
const KEY_BYTES = 32

/** The maximum length of `cosigner_name` in C2SP tlog-cosignature. */
const NAME_BYTES_MAX = 255

/**
 * The maximum length of a vkey in characters. The longest existing type (ML-DSA-44) needs 1,800 characters plus the
 * name.
 */
const VKEY_LENGTH_MAX = 4096

const TYPE_BYTES: Readonly<Record<NoteKeyType, number>> = { ed25519: 0x01, cosignature: 0x04 }

/** Key types used by other implementations, for the error message. */
const FOREIGN_TYPES: ReadonlyMap<number, string> = new Map([
  [0x02, 'an ECDSA key'],
  [0x05, 'an RFC 6962 log key'],
  [0x06, 'an ML-DSA-44 key'],
])

const VKEY = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/
const SPACE_OR_PLUS = /[\p{White_Space}+]/u

/**
 * Reports whether a string is a valid key name: not empty, and without Unicode white space, `+` and control
 * characters.
 */
export function isKeyName(name: unknown): name is string {
  return isNoteLine(name) && !SPACE_OR_PLUS.test(name)
}

/**
 * Creates a named key from a public key.
 *
 * @param name - at most 255 bytes; preferably a URL without scheme, such as `example.com/log`
 * @throws CryptoError `KEY_INVALID` if the name is not a valid key name; TypeError for an unknown type
 */
export function createNoteKey(name: string, publicKey: PublicKey, type: NoteKeyType = 'ed25519'): NoteKey {
  const typeByte = TYPE_BYTES[type]
  if (typeByte === undefined) throw new TypeError('type must be `ed25519` or `cosignature`')
  if (!isKeyName(name) || noteBytes(name).length > NAME_BYTES_MAX) {
    throw new CryptoError(
      'KEY_INVALID',
      `a key name must be 1 to ${NAME_BYTES_MAX} bytes without white space or \`+\``,
      'use a name like a URL without its scheme: example.com/log',
    )
  }
  return Object.freeze({ name, type, keyHash: keyHashOf(name, typed(typeByte, publicKey)), publicKey })
}

/** Encodes a key as a vkey. */
export function encodeVkey(key: NoteKey): string {
  const { name, type, keyHash, publicKey } = createNoteKey(key.name, key.publicKey, key.type)
  return `${name}+${keyHash}+${encodeBase64(typed(TYPE_BYTES[type], publicKey))}`
}

/**
 * Parses a vkey and checks the key as `parsePublicKey` does.
 *
 * @throws CryptoError `KEY_INVALID` for text that is not a vkey, or a key hash that does not match the key;
 *   `KEY_WRONG_TYPE` for a private key or a vkey of an unsupported type; `KEY_WEAK` for a key under which
 *   signatures prove nothing
 */
export function parseVkey(text: string): NoteKey {
  if (typeof text === 'string' && text.startsWith('PRIVATE+KEY+')) {
    throw new CryptoError('KEY_WRONG_TYPE', 'a private key was given where a vkey is needed')
  }
  const [, name, keyHash, base64] = (isKeyLine(text) && VKEY.exec(text)) || []
  const data = base64 === undefined ? null : decodeBase64(base64)
  const typeByte = data?.[0]
  if (name === undefined || !data || typeByte === undefined) throw invalid('does not have the form name+hash+base64')
  const foreign = FOREIGN_TYPES.get(typeByte)
  if (foreign !== undefined) throw new CryptoError('KEY_WRONG_TYPE', `the vkey contains ${foreign}, not an Ed25519 key`)
  const type = typeByte === TYPE_BYTES.ed25519 ? 'ed25519' : typeByte === TYPE_BYTES.cosignature ? 'cosignature' : null
  if (type === null || data.length !== 1 + KEY_BYTES) throw invalid('does not contain an Ed25519 key')
  if (keyHash !== keyHashOf(name, data)) throw invalid('has a wrong key hash')
  return createNoteKey(name, makePublicKey(data.slice(1)), type)
}

const isKeyLine = (text: unknown): text is string => isNoteLine(text) && text.length <= VKEY_LENGTH_MAX

const typed = (typeByte: number, key: PublicKey): Uint8Array => concatBytes(Uint8Array.of(typeByte), key.bytes)

const keyHashOf = (name: string, typedKey: Uint8Array): string =>
  bytesToHex(sha256(concatBytes(noteBytes(`${name}\n`), typedKey)).subarray(0, KEY_HASH_BYTES))

const invalid = (what: string): CryptoError =>
  new CryptoError('KEY_INVALID', `the vkey ${what}`, 'use the published vkey, which is one line: name+hash+base64')
