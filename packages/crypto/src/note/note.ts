/**
 * Signed notes (https://c2sp.org/signed-note): a text, a blank line, and one line for each signature.
 *
 *     If you think cryptography is the answer to your problem,
 *     then you don't know what your problem is.
 *
 *     — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
 *
 * The signed message is the text with its last line feed, without the blank line. The last blank line of a note is
 * the separator. A signature is base64 of the key hash (`note-key.ts`) and the signature bytes of the key's type.
 *
 * `parseNote` returns the unverified content of a note; only `openNote` verifies signatures, and returns another
 * type.
 */
import { decodeBase64, encodeBase64 } from '../bytes/base64.js'
import { concatBytes, isBytes } from '../bytes/bytes.js'
import { bytesToHex, hexToBytes } from '../bytes/hash.js'
import { CryptoError } from '../error.js'
import { isKeyName, KEY_HASH_BYTES } from './note-key.js'
import { noteBytes, readNoteText, textFault } from './note-text.js'

/**
 * The maximum number of signatures of a note: each costs a verification. C2SP requires support for 16; Go accepts
 * 100.
 */
export const NOTE_SIGNATURES_MAX = 100

/** A signature in a note, unverified. */
export interface NoteSignature {
  readonly name: string
  /** 8 lower-case hex digits. */
  readonly keyHash: string
  /** The bytes of the signature; at least one. */
  readonly bytes: Uint8Array
}

/** A signature that its verifier accepted. */
export interface VerifiedSignature extends NoteSignature {
  readonly verifier: NoteVerifier
}

/** The content of a note, unverified. */
export interface UnverifiedNote {
  /** Ends in a line feed. */
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

/** A note signed by at least one of the given verifiers. */
export interface Note {
  readonly text: string
  /** One signature for each verifier that signed, in the order of the note. Never empty. */
  readonly verified: readonly VerifiedSignature[]
  /** Signatures by other keys. They may be invalid. */
  readonly unverified: readonly NoteSignature[]
}

/** Verifies the signatures of one key. Made by `createNoteVerifier` and `createCosignatureVerifier`. */
export interface NoteVerifier {
  readonly name: string
  readonly keyHash: string
  /** Whether the bytes are this key's signature of the text. Never throws. */
  verify(text: Uint8Array, signature: Uint8Array): boolean
}

/** Signs notes with one key. Made by `createNoteSigner` and `createCosigner`. */
export interface NoteSigner {
  readonly name: string
  readonly keyHash: string
  /** The bytes of the signature, without the key hash. Rejects when it cannot sign. */
  sign(text: Uint8Array): Promise<Uint8Array>
}

const SPLIT = '\n\n'
const LINE_START = '— '

/**
 * Reads a note without verifying it.
 *
 * @param note - bytes, or a string decoded from UTF-8
 * @throws CryptoError `NOTE_INVALID` when it is not a note: too long, not UTF-8, a control character, no blank
 *   line, a line after it that is not a signature, base64 that is not strict, no signature or too many, no line
 *   feed at the end
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
 * Verifies a note. Signatures by other keys are skipped; an invalid signature by a given key rejects the note, even
 * if other signatures are valid.
 *
 * @throws CryptoError `NOTE_INVALID` as `parseNote`, `SIGNATURE_INVALID` when a signature with a given name and key
 *   hash is invalid, `KEY_UNKNOWN` when the note is not signed by any of the given keys
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
 * Signs a text.
 *
 * @param text - ends in a line feed
 * @param kept - existing signatures of the text. Those by the signers' own keys are replaced.
 * @throws CryptoError `NOTE_INVALID` when the result would not be a note; then nothing is signed. Rejects with
 *   errors of the signers.
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
 * Makes one signature of a text, for a note with other signatures, or to send separately (`encodeSignatureLine`).
 * As `signNote`.
 */
export async function createSignature(text: string, signer: NoteSigner): Promise<NoteSignature> {
  const fault = textFault(text)
  if (fault !== null) throw invalid(fault)
  const { name, keyHash } = signer
  return { name, keyHash, bytes: await signer.sign(noteBytes(text)) }
}

/**
 * Encodes a text and its signatures as a note, which `parseNote` reads.
 *
 * @throws CryptoError `NOTE_INVALID` when `parseNote` would refuse it
 */
export function encodeNote({ text, signatures }: UnverifiedNote): string {
  const note = `${text}\n${signatures.map(encodeSignatureLine).join('')}`
  if (parseNote(note).text !== text) throw invalid('the text would change when the note is read')
  return note
}

/**
 * Encodes one signature as a line, with its line feed.
 *
 * @throws CryptoError `NOTE_INVALID` when it is not a signature
 */
export function encodeSignatureLine({ name, keyHash, bytes }: NoteSignature): string {
  if (!isKeyName(name) || !/^[0-9a-f]{8}$/.test(keyHash) || !isBytes(bytes) || bytes.length === 0) {
    throw invalid('a signature needs a key name, a key hash of 8 hex digits and bytes')
  }
  return `${LINE_START}${name} ${encodeBase64(concatBytes(hexToBytes(keyHash), bytes))}\n`
}

function parseSignatureLine(line: string): NoteSignature {
  const [name, base64, ...rest] = line.slice(LINE_START.length).split(' ')
  const data = decodeBase64(base64 ?? '')
  if (!line.startsWith(LINE_START) || !isKeyName(name) || rest.length > 0) throw invalid('a line is not a signature')
  if (data === null || data.length <= KEY_HASH_BYTES) throw invalid('a signature is not strict base64 of enough bytes')
  return { name, keyHash: bytesToHex(data.subarray(0, KEY_HASH_BYTES)), bytes: data.slice(KEY_HASH_BYTES) }
}

const invalid = (message: string): CryptoError => new CryptoError('NOTE_INVALID', message)
