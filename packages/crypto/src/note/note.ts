/**
 * Signed notes (https://c2sp.org/signed-note): a text, a blank line, and a line for each signature.
 *
 *     If you think cryptography is the answer to your problem,
 *     then you don't know what your problem is.
 *
 *     — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
 *
 * Signed is the text with its last line feed and without the blank line. The last blank line is the one that counts. A
 * signature is base64 of the key hash (`note-key.ts`) and what the key's type signs with.
 *
 * `parseNote` says what a note says of itself; only `openNote` says who signed it, in another type.
 */
import { decodeBase64, encodeBase64 } from '../bytes/base64.js'
import { concatBytes, isBytes } from '../bytes/bytes.js'
import { bytesToHex, hexToBytes } from '../bytes/hash.js'
import { CryptoError } from '../error.js'
import { isKeyName, KEY_HASH_BYTES } from './note-key.js'
import { noteBytes, readNoteText, textFault } from './note-text.js'

/** The most signatures a note may have: each one costs a verification. C2SP asks for 16 at least; Go takes 100. */
export const NOTE_SIGNATURES_MAX = 100

/** A signature as a note states it. Nothing about it is known to be true. */
export interface NoteSignature {
  readonly name: string
  /** 8 lower-case hex digits. */
  readonly keyHash: string
  /** What the key signed with; at least one byte. */
  readonly bytes: Uint8Array
}

/** A signature that a verifier vouches for. */
export interface VerifiedSignature extends NoteSignature {
  readonly verifier: NoteVerifier
}

/** A note as it states itself, unverified. */
export interface UnverifiedNote {
  /** Ends in a line feed. */
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

/** A note signed by at least one of the verifiers it was opened with. */
export interface Note {
  readonly text: string
  /** One for each verifier that signed, in the order of the note. Never empty. */
  readonly verified: readonly VerifiedSignature[]
  /** Signatures by keys that nobody gave. They may be anything. */
  readonly unverified: readonly NoteSignature[]
}

/** Verifies the signatures of one key; `createNoteVerifier` and `createCosignatureVerifier` make them. */
export interface NoteVerifier {
  readonly name: string
  readonly keyHash: string
  /** Whether the bytes are this key's signature over the text. Never throws. */
  verify(text: Uint8Array, signature: Uint8Array): boolean
}

/** Signs notes with one key; `createNoteSigner` and `createCosigner` make them. */
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
 * @param note bytes, or text that was UTF-8.
 * @throws CryptoError `NOTE_INVALID` when it is no note: too long, not UTF-8, a control character, no blank line, a line
 * behind it that is no signature, base64 that is not strict, no signature or too many, no line feed at the end.
 */
export function parseNote(note: Uint8Array | string): UnverifiedNote {
  const all = readNoteText(note, 'NOTE_INVALID')
  const split = all.lastIndexOf(SPLIT)
  if (split < 0) throw invalid('the note has no blank line before its signatures')
  const lines = all.slice(split + SPLIT.length).split('\n', NOTE_SIGNATURES_MAX + 2)
  const end = lines.pop()
  if (lines.length > NOTE_SIGNATURES_MAX) throw invalid(`the note has more than ${NOTE_SIGNATURES_MAX} signatures`)
  if (lines.length === 0 || end !== '') throw invalid('the note has no signatures behind its last blank line')
  return { text: all.slice(0, split + 1), signatures: lines.map(parseSignatureLine) }
}

/**
 * Verifies a note. Signatures by keys that are not given are passed over; one that is given and does not hold rejects
 * the note, whoever else has signed.
 *
 * @throws CryptoError `NOTE_INVALID` as `parseNote`, `SIGNATURE_INVALID` when a signature under a given name and key hash
 * does not hold, `KEY_UNKNOWN` when none of the given keys has signed.
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
    else if (verifier === undefined) throw new CryptoError('SIGNATURE_INVALID', 'a signature of the note does not hold')
    else if (!verified.has(verifier)) verified.set(verifier, { ...signature, verifier })
  }
  if (verified.size === 0) throw new CryptoError('KEY_UNKNOWN', 'none of the given keys has signed the note')
  return { text, verified: [...verified.values()], unverified: [...unverified.values()] }
}

/**
 * Signs a text.
 *
 * @param text ends in a line feed.
 * @param kept signatures that the text has already. Those of the signers' own keys are replaced.
 * @throws CryptoError `NOTE_INVALID` when it would not be a note: nothing is signed then. Rejects as the signers do.
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

/** One signature over a text, for a note that has others, or to send on its own (`encodeSignatureLine`). As `signNote`. */
export async function createSignature(text: string, signer: NoteSigner): Promise<NoteSignature> {
  const fault = textFault(text)
  if (fault !== null) throw invalid(fault)
  const { name, keyHash } = signer
  return { name, keyHash, bytes: await signer.sign(noteBytes(text)) }
}

/**
 * The note of a text and its signatures: what `parseNote` reads.
 *
 * @throws CryptoError `NOTE_INVALID` when `parseNote` would refuse it.
 */
export function encodeNote({ text, signatures }: UnverifiedNote): string {
  const note = `${text}\n${signatures.map(encodeSignatureLine).join('')}`
  if (parseNote(note).text !== text) throw invalid('the note does not keep its text')
  return note
}

/** The line of one signature, with its line feed. @throws CryptoError `NOTE_INVALID` when it is none. */
export function encodeSignatureLine({ name, keyHash, bytes }: NoteSignature): string {
  if (!isKeyName(name) || !/^[0-9a-f]{8}$/.test(keyHash) || !isBytes(bytes) || bytes.length === 0) {
    throw invalid('a signature needs a key name, a key hash of 8 hex digits and bytes')
  }
  return `${LINE_START}${name} ${encodeBase64(concatBytes(hexToBytes(keyHash), bytes))}\n`
}

function parseSignatureLine(line: string): NoteSignature {
  const [name, base64, ...rest] = line.slice(LINE_START.length).split(' ')
  const data = decodeBase64(base64 ?? '')
  if (!line.startsWith(LINE_START) || !isKeyName(name) || rest.length > 0) throw invalid('a line is no signature')
  if (data === null || data.length <= KEY_HASH_BYTES) throw invalid('a signature is not strict base64 of enough bytes')
  return { name, keyHash: bytesToHex(data.subarray(0, KEY_HASH_BYTES)), bytes: data.slice(KEY_HASH_BYTES) }
}

const invalid = (message: string): CryptoError => new CryptoError('NOTE_INVALID', message)
