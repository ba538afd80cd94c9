/**
 * Self-contained inclusion proofs (https://c2sp.org/tlog-proof): a leaf index, the sibling hashes from the leaf up,
 * and the signed and cosigned checkpoint of the tree.
 *
 *     c2sp.org/tlog-proof@v1
 *     index 7
 *     2Q0P5jSR+TdkwdXWyx+GbBWX0KZbNZkWzCjyTPSozsw=
 *     ycRkkNklus5eMVRUvkD1pK321vMrA+jjOiZKU8aOcY4=
 *     zY1lN35vrXYAPixXSd59LsU29xUJtuW4o2dNNg5Y2Co=
 *     5jLpqTgjsBDSEX6SgZiRnbTMdTuRd8bQ5tSsAOxe0Ks=
 *
 *     example.com/log
 *     15
 *     rKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=
 *
 *     — example.com/log Az3grl...
 *
 * A line `extra <base64>` may precede the index. This line is not signed, and this module does not interpret it.
 */
import { decodeBase64, encodeBase64 } from '../bytes/base64.js'
import { isBytes } from '../bytes/bytes.js'
import { parseDecimal } from '../bytes/decimal.js'
import { CryptoError } from '../error.js'
import { isProof, verifyInclusion } from '../tree/inclusion.js'
import { isTreeHash, isTreeSize, PROOF_HASHES_MAX } from '../tree/merkle.js'
import { inclusionPath } from '../tree/path.js'
import { openCheckpoint, parseCheckpoint, type VerifiedCheckpoint } from './checkpoint.js'
import { type NoteVerifier, parseNote } from './note.js'
import { NOTE_BYTES_MAX, readNoteText } from './note-text.js'

/** The unverified content of a proof. */
export interface TlogProof {
  /** The index of the leaf, from 0. */
  readonly index: number
  /** The sibling hashes, from the leaf's sibling up to a child of the root. */
  readonly hashes: readonly Uint8Array[]
  /** The note signed by the log and the witnesses. */
  readonly checkpoint: string
  /** Data added by the author of the file. Never trust this data. */
  readonly extra: Uint8Array | null
}

/** A proof that is valid for the given leaf and keys. */
export interface VerifiedTlogProof {
  readonly index: number
  readonly checkpoint: VerifiedCheckpoint
  /** The extra data of the proof, which is not verified. */
  readonly unverifiedExtra: Uint8Array | null
}

/**
 * The maximum size of a proof in bytes: twice the maximum size of a note. The hashes take at most 3 kB; the rest is
 * for `extra`.
 */
const PROOF_BYTES_MAX = 2 * NOTE_BYTES_MAX

const HEADER = 'c2sp.org/tlog-proof@v1'
const EXTRA = 'extra '
const INDEX = 'index '

/**
 * Encodes a proof.
 *
 * @throws CryptoError `PROOF_INVALID` if `parseTlogProof` would refuse the proof; `NOTE_INVALID` or
 *   `CHECKPOINT_INVALID` if `parseTlogProof` would refuse the checkpoint
 */
export function encodeTlogProof({ index, hashes, checkpoint, extra }: TlogProof): string {
  if (!isTreeSize(index) || !isProof(hashes)) throw invalid('the index or the list of hashes is invalid')
  if (extra !== null && (!isBytes(extra) || extra.length === 0)) throw invalid('the extra data of the proof is empty')
  const lines = [
    HEADER,
    ...(extra === null ? [] : [`${EXTRA}${encodeBase64(extra)}`]),
    `${INDEX}${index}`,
    ...hashes.map(encodeBase64),
  ]
  const text = `${lines.join('\n')}\n\n${checkpoint}`
  parseTlogProof(text)
  return text
}

/**
 * Parses a proof without verifying it.
 *
 * @param proof - the proof as UTF-8 bytes or as a decoded string
 * @throws CryptoError `PROOF_INVALID` if the input is not a proof, or if the number of hashes does not match the
 *   index and the tree size; `NOTE_INVALID` or `CHECKPOINT_INVALID` if the proof does not contain a signed
 *   checkpoint
 */
export function parseTlogProof(proof: Uint8Array | string): TlogProof {
  const text = readNoteText(proof, 'PROOF_INVALID', PROOF_BYTES_MAX)
  const split = text.indexOf('\n\n')
  if (split < 0) throw invalid('the proof has no blank line before its checkpoint')
  const [header, ...lines] = text.slice(0, split).split('\n')
  if (header !== HEADER) throw invalid(`the proof does not begin with \`${HEADER}\``)
  const extra = lines[0]?.startsWith(EXTRA) ? parseExtra(lines.shift()) : null
  const index = parseIndex(lines.shift())
  if (lines.length > PROOF_HASHES_MAX) throw invalid(`the proof has more than ${PROOF_HASHES_MAX} hashes`)
  const hashes = lines.map(parseHash)
  const checkpoint = text.slice(split + 2)
  const { size } = parseCheckpoint(parseNote(checkpoint).text)
  if (index >= size) throw invalid('the index of the proof is not below the size of its checkpoint')
  const length = inclusionPath(index, size).length
  if (hashes.length !== length) throw invalid(`the proof has ${hashes.length} hashes instead of ${length}`)
  return { index, hashes, checkpoint, extra }
}

/**
 * Verifies that the checkpoint is signed by the log it names and that the checkpoint's tree contains the leaf at
 * the index. The proof may come from any source, but the leaf hash must be computed from the data (`leafHash`).
 *
 * @param leaf - the leaf hash, 32 bytes
 * @param logs - the keys of trusted logs. Each key is trusted only for checkpoints whose origin is the key name.
 * @param witnesses - the keys of witnesses. The result contains their signatures; the caller must check the quorum.
 * @throws CryptoError `PROOF_INVALID` if the checkpoint's tree does not contain the leaf at the index; the errors
 *   of `parseTlogProof` and `openCheckpoint`; TypeError if `leaf` is not 32 bytes
 * @example
 * const { index, checkpoint } = openTlogProof(text, leafHash(data), [createNoteVerifier(parseVkey(vkey))])
 */
export function openTlogProof(
  proof: Uint8Array | string,
  leaf: Uint8Array,
  logs: readonly NoteVerifier[],
  witnesses: readonly NoteVerifier[] = [],
): VerifiedTlogProof {
  if (!isTreeHash(leaf)) throw new TypeError('leaf must be a hash of 32 bytes')
  const { index, hashes, checkpoint: signed, extra } = parseTlogProof(proof)
  const checkpoint = openCheckpoint(signed, logs, witnesses)
  if (!verifyInclusion(leaf, index, checkpoint.size, hashes, checkpoint.root)) {
    throw invalid('the proof does not connect this leaf to the root of its checkpoint')
  }
  return { index, checkpoint, unverifiedExtra: extra }
}

function parseExtra(line = ''): Uint8Array {
  const extra = decodeBase64(line.slice(EXTRA.length))
  if (extra === null || extra.length === 0) throw invalid('the extra data of the proof is not strict base64')
  return extra
}

function parseIndex(line = ''): number {
  const index = line.startsWith(INDEX) ? parseDecimal(line.slice(INDEX.length)) : null
  if (index === null) throw invalid('the proof does not have a decimal index from 0 to 2^53 − 1')
  return index
}

function parseHash(line: string): Uint8Array {
  const hash = decodeBase64(line)
  if (!isTreeHash(hash)) throw invalid('a hash of the proof is not strict base64 of 32 bytes')
  return hash
}

const invalid = (message: string): CryptoError => new CryptoError('PROOF_INVALID', message)
