/**
 * Checkpoints (https://c2sp.org/tlog-checkpoint): the size and root of a log's Merkle tree at one point in time, in
 * a note signed by the log.
 *
 *     example.com/log
 *     15
 *     rKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=
 *
 *     — example.com/log Az3grl...
 *
 * The first line is the origin: the permanent name of the log, and also the name of the log's keys. The next lines
 * contain the size in decimal and the root in base64. Further lines are extensions, which are preserved but not
 * interpreted.
 */
import { decodeBase64, encodeBase64 } from '../bytes/base64.js'
import { bytesEqual } from '../bytes/bytes.js'
import { parseDecimal } from '../bytes/decimal.js'
import { CryptoError } from '../error.js'
import { emptyRoot, isTreeHash, isTreeSize } from '../tree/merkle.js'
import { type Note, type NoteSigner, type NoteVerifier, openNote, signNote, type VerifiedSignature } from './note.js'
import { isNoteLine, noteBytes, readNoteText } from './note-text.js'

/** The unverified content of a checkpoint. */
export interface Checkpoint {
  readonly origin: string
  /** The number of leaves in the tree, at most 2^53 − 1. */
  readonly size: number
  /** 32 bytes. */
  readonly root: Uint8Array
  /** The lines after the root, without line feeds; usually empty. */
  readonly extensions: readonly string[]
}

/** A checkpoint signed by the log that the origin names. */
export interface VerifiedCheckpoint extends Checkpoint {
  readonly note: Note
  /** Signatures by the log's keys; at least one. */
  readonly signatures: readonly VerifiedSignature[]
  /** Signatures by the given witnesses; may be empty. The caller must check the quorum. */
  readonly cosignatures: readonly VerifiedSignature[]
}

/** The maximum length of `log_origin` in C2SP tlog-cosignature. */
const ORIGIN_BYTES_MAX = 255

/**
 * Encodes the text of a checkpoint, which is the text that the log signs.
 *
 * @throws CryptoError `CHECKPOINT_INVALID` for an origin that is empty, longer than 255 bytes or more than one
 *   line, an invalid size, a root that is not 32 bytes, or an extension that is empty or more than one line
 */
export function encodeCheckpoint({ origin, size, root, extensions }: Checkpoint): string {
  const fault = checkpointFault(origin, size, root, extensions)
  if (fault !== null) throw invalid(fault)
  return [origin, size, encodeBase64(root), ...extensions].map((line) => `${line}\n`).join('')
}

/**
 * Parses the text of a checkpoint: the text of a note, without the signatures.
 *
 * @param text - the checkpoint as UTF-8 bytes or as a decoded string
 * @throws CryptoError `CHECKPOINT_INVALID` for any text that `encodeCheckpoint` does not produce
 */
export function parseCheckpoint(text: Uint8Array | string): Checkpoint {
  const lines = readNoteText(text, 'CHECKPOINT_INVALID').split('\n')
  const [origin = '', decimal = '', base64 = '', ...extensions] = lines.slice(0, -1)
  if (lines.length < 4) throw invalid('the checkpoint has fewer than three lines')
  const size = parseDecimal(decimal)
  if (size === null) throw invalid('the size of the checkpoint is not a decimal number up to 2^53 − 1')
  const root = decodeBase64(base64)
  if (root === null) throw invalid('the root of the checkpoint is not strict base64')
  const fault = checkpointFault(origin, size, root, extensions)
  if (fault !== null) throw invalid(fault)
  return { origin, size, root, extensions }
}

/**
 * Signs a checkpoint for the log that it names.
 *
 * A log must never sign two inconsistent checkpoints, that is, checkpoints of which neither extends the other. This
 * function cannot check consistency; the caller must ensure it.
 *
 * @param signers - the log's keys, named with its origin (`createNoteSigner`). Pass two keys during key rotation.
 * @returns the signed note
 * @throws CryptoError `CHECKPOINT_INVALID` in the same cases as `encodeCheckpoint`; TypeError if there are no
 *   signers or a signer's name is not the origin; errors thrown by the signers
 * @example
 * const checkpoint = { origin, size, root: frontierRoot(frontier), extensions: [] }
 * await signCheckpoint(checkpoint, [createNoteSigner(origin, signer)])
 */
export async function signCheckpoint(checkpoint: Checkpoint, signers: readonly NoteSigner[]): Promise<string> {
  const text = encodeCheckpoint(checkpoint)
  if (signers.length === 0 || signers.some(({ name }) => name !== checkpoint.origin)) {
    throw new TypeError('the name of every signer must equal the origin of the checkpoint')
  }
  return signNote(text, signers)
}

/**
 * Verifies a signed checkpoint.
 *
 * @param logs - the keys of trusted logs. Each key is trusted only for checkpoints whose origin is the key name.
 * @param witnesses - the keys of witnesses. Witness signatures are returned separately and do not replace the log's
 *   signature.
 * @throws CryptoError `NOTE_INVALID` or `SIGNATURE_INVALID` in the same cases as `openNote`; `CHECKPOINT_INVALID`
 *   if the note is not a checkpoint; `KEY_UNKNOWN` if no given key of the log signed the checkpoint
 * @example
 * const { size, root } = openCheckpoint(await readFile('log.checkpoint'), [createNoteVerifier(parseVkey(vkey))])
 */
export function openCheckpoint(
  signed: Uint8Array | string,
  logs: readonly NoteVerifier[],
  witnesses: readonly NoteVerifier[] = [],
): VerifiedCheckpoint {
  const note = openNote(signed, [...logs, ...witnesses])
  const checkpoint = parseCheckpoint(note.text)
  const signatures = note.verified.filter(({ name, verifier }) => logs.includes(verifier) && name === checkpoint.origin)
  if (signatures.length === 0) {
    throw new CryptoError('KEY_UNKNOWN', 'none of the given keys belongs to the log of the checkpoint')
  }
  const cosignatures = note.verified.filter(({ verifier }) => witnesses.includes(verifier))
  return { ...checkpoint, note, signatures, cosignatures }
}

function checkpointFault(origin: string, size: number, root: Uint8Array, extensions: readonly string[]): string | null {
  if (!isNoteLine(origin) || noteBytes(origin).length > ORIGIN_BYTES_MAX) {
    return `the origin of the checkpoint is not one line of 1 to ${ORIGIN_BYTES_MAX} bytes`
  }
  if (!isTreeSize(size)) return 'the size of the checkpoint is not an integer from 0 to 2^53 − 1'
  if (!isTreeHash(root)) return 'the root of the checkpoint is not 32 bytes'
  if (size === 0 && !bytesEqual(root, emptyRoot()))
    return 'the checkpoint has size 0, but its root is not the root of an empty tree'
  return extensions.every(isNoteLine) ? null : 'an extension of the checkpoint is not one line'
}

const invalid = (message: string): CryptoError => new CryptoError('CHECKPOINT_INVALID', message)
