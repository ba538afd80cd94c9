/**
 * Signed notes (https://c2sp.org/signed-note): text, a blank line, and one line for each signature.
 *
 *     If you think cryptography is the answer to your problem,
 *     then you don't know what your problem is.
 *
 *     — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
 *
 * The signed message is the text including its last line feed, but not the blank line. The last blank line in a
 * note is the separator. A signature is the base64 of the key hash (`note-key.ts`) followed by signature bytes,
 * whose format depends on the key type.
 *
 * `parseNote` returns the unverified content of a note; only `openNote` verifies signatures, and it returns a
 * different type.
 */
import { decodeBase64, encodeBase64 } from '../bytes/base64.js'
import { concatBytes, isBytes } from '../bytes/bytes.js'
import { bytesToHex, hexToBytes } from '../bytes/hash.js'
import { CryptoError } from '../error.js'
import { isKeyName, KEY_HASH_BYTES } from './note-key.js'
import { noteBytes, readNoteText, textFault } from './note-text.js'

/**
 * The maximum number of signatures on a note, because verifying each signature takes time. C2SP requires support
 * for 16; the Go implementation accepts 100.
 */
export const NOTE_SIGNATURES_MAX = 100

/** An unverified signature in a note. */
export interface NoteSignature {
  readonly name: string
  /** 8 lower-case hex digits. */
  readonly keyHash: string
  /** The signature bytes; at least one. */
  readonly bytes: Uint8Array
}

/** A signature that its verifier accepted. */
export interface VerifiedSignature extends NoteSignature {
  readonly verifier: NoteVerifier
}

/** The unverified content of a note. */
export interface UnverifiedNote {
  /** Ends in a line feed. */
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

/** A note signed by at least one of the given verifiers. */
export interface Note {
  readonly text: string
  /** One signature for each verifier whose key signed the note, in note order. Never empty. */
  readonly verified: readonly VerifiedSignature[]
  /** Signatures by other keys. These signatures may be invalid. */
  readonly unverified: readonly NoteSignature[]
}

/** Verifies signatures made by one key. Created by `createNoteVerifier` and `createCosignatureVerifier`. */
export interface NoteVerifier {
  readonly name: string
  readonly keyHash: string
  /** Reports whether the signature of the text is valid under this key. Never throws. */
  verify(text: Uint8Array, signature: Uint8Array): boolean
}

/** Signs notes with one key. Created by `createNoteSigner` and `createCosigner`. */
export interface NoteSigner {
  readonly name: string
  readonly keyHash: string
  /** Returns the signature bytes without the key hash. Rejects if the signer cannot sign. */
  sign(text: Uint8Array): Promise<Uint8Array>
}

const SPLIT = '\n\n'
const LINE_START = '— '

/**
 * Parses a note without verifying it.
 *
 * @param note - the note as UTF-8 bytes or as a decoded string
 * @throws CryptoError `NOTE_INVALID` if the input is not a note: it is too long, is not UTF-8, contains a control
 *   character, lacks the blank line or the final line feed, has no signatures or too many, or has an invalid
 *   signature line
 */
export function parseNote(note: Uint8Array | string): UnverifiedNote {
  const all = readNoteText(note, 'NOTE_INVALID')
  const split = all.lastIndexOf(SPLIT)
  if (split < 0) throw invalid('the note has no blank line before its signatures')
  const lines = all.slice(split + SPLIT.length).split('\n', NOTE_SIGNATURES_MAX + 2)
  const end = lines.pop()
  if (lines.length > NOTE_SIGNATURES_MAX) throw invalid(`the note has more than ${NOTE_SIGNATURES_MAX} signatures`)
  if (lines.length === 0 || end !== '') throw invalid('the note has no signatures after its last blank line')
  return { text: all.slice(0, split + 1), signatures: lines.map(parseSignatureLine) }
}

/**
 * Verifies a note. Signatures by other keys are skipped. If a signature by a given key is invalid, the note is
 * refused, even if other signatures are valid.
 *
 * @throws CryptoError `NOTE_INVALID` in the same cases as `parseNote`; `SIGNATURE_INVALID` if a signature with the
 *   name and key hash of a given key is invalid; `KEY_UNKNOWN` if none of the given keys signed the note
 * @example
 * const { text } = openNote(await readFile('note'), [createNoteVerifier(parseVkey(vkey))])
 */
export function openNote(note: Uint8Array | string, verifiers: readonly NoteVerifier[]): Note {
  const { text, signatures } = parseNote(note)
  const message = noteBytes(text)
  const verified = new Map<NoteVerifier, VerifiedSignature>()
  const unverified = new Map<string, NoteSignature>()
  for (const signature of signatures) {
    const known = verifiers.filter(({ name, keyHash }) => name === signature.name && keyHash === signature.keyHash)
    const verifier = known.find((candidate) => candidate.verify(message, signature.bytes))
    if (known.length === 0) unverified.set(encodeSignatureLine(signature), signature)
    else if (verifier === undefined) throw new CryptoError('SIGNATURE_INVALID', 'a signature of the note is invalid')
    else if (!verified.has(verifier)) verified.set(verifier, { ...signature, verifier })
  }
  if (verified.size === 0) throw new CryptoError('KEY_UNKNOWN', 'none of the given keys has signed the note')
  return { text, verified: [...verified.values()], unverified: [...unverified.values()] }
}

/**
 * Signs text and returns the note.
 *
 * @param text - text that ends in a line feed
 * @param kept - existing signatures of the text. Signatures by the signers' own keys are replaced.
 * @throws CryptoError `NOTE_INVALID` if the result would not be a valid note; errors thrown by the signers
 */
export async function signNote(
  text: string,
  signers: readonly NoteSigner[],
  kept: readonly NoteSignature[] = [],
): Promise<string> {
  const own = await Promise.all(signers.map((signer) => createSignature(text, signer)))
  const others = kept.filter((old) => !own.some((s) => s.name === old.name && s.keyHash === old.keyHash))
  return encodeNote({ text, signatures: [...others, ...own] })
}

/**
 * Creates one signature of the text, either to add to a note or to send separately (`encodeSignatureLine`). Throws
 * the errors of `signNote`.
 */
export async function createSignature(text: string, signer: NoteSigner): Promise<NoteSignature> {
  const fault = textFault(text)
  if (fault !== null) throw invalid(fault)
  const { name, keyHash } = signer
  return { name, keyHash, bytes: await signer.sign(noteBytes(text)) }
}

/**
 * Encodes text and its signatures as a note that `parseNote` accepts.
 *
 * @throws CryptoError `NOTE_INVALID` if `parseNote` would refuse the note
 */
export function encodeNote({ text, signatures }: UnverifiedNote): string {
  const note = `${text}\n${signatures.map(encodeSignatureLine).join('')}`
  if (parseNote(note).text !== text) throw invalid('the text would change when the note is read')
  return note
}

/**
 * Encodes one signature as a line, including the line feed.
 *
 * @throws CryptoError `NOTE_INVALID` if a field is invalid
 */
export function encodeSignatureLine({ name, keyHash, bytes }: NoteSignature): string {
  if (!isKeyName(name) || !/^[0-9a-f]{8}$/.test(keyHash) || !isBytes(bytes) || bytes.length === 0) {
    throw invalid('a signature needs a key name, a key hash of 8 hex digits and at least one byte')
  }
  return `${LINE_START}${name} ${encodeBase64(concatBytes(hexToBytes(keyHash), bytes))}\n`
}

function parseSignatureLine(line: string): NoteSignature {
  const [name, base64, ...rest] = line.slice(LINE_START.length).split(' ')
  const data = decodeBase64(base64 ?? '')
  if (!line.startsWith(LINE_START) || !isKeyName(name) || rest.length > 0)
    throw invalid('a line after the blank line is not a signature')
  if (data === null || data.length <= KEY_HASH_BYTES) throw invalid('a signature is not strict base64 or is too short')
  return { name, keyHash: bytesToHex(data.subarray(0, KEY_HASH_BYTES)), bytes: data.slice(KEY_HASH_BYTES) }
}

const invalid = (message: string): CryptoError => new CryptoError('NOTE_INVALID', message)
