/**
 * Self-contained inclusion proofs (https://c2sp.org/tlog-proof): an index, the hashes from the leaf's sibling up,
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
 * A line `extra <base64>` may precede the index. It is not signed and not interpreted here.
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

/** The content of a proof, unverified. */
export interface TlogProof {
  /** The index of the leaf, from 0. */
  readonly index: number
  /** From the leaf's sibling to a child of the root. */
  readonly hashes: readonly Uint8Array[]
  /** The signed note from the log and the witnesses. */
  readonly checkpoint: string
  /** Data that the maker of the file added. Never trust it. */
  readonly extra: Uint8Array | null
}

/** A valid proof for the given leaf and keys. */
export interface VerifiedTlogProof {
  readonly index: number
  readonly checkpoint: VerifiedCheckpoint
  /** Still unverified. */
  readonly unverifiedExtra: Uint8Array | null
}

/** Twice the size of a note: the hashes take 3 kB, and the rest is for `extra`. */
const PROOF_BYTES_MAX = 2 * NOTE_BYTES_MAX

const HEADER = 'c2sp.org/tlog-proof@v1'
const EXTRA = 'extra '
const INDEX = 'index '

/**
 * Encodes a proof.
 *
 * @throws CryptoError `PROOF_INVALID` when `parseTlogProof` would refuse it; `NOTE_INVALID`, `CHECKPOINT_INVALID`
 *   when it would refuse the checkpoint
 */
export function encodeTlogProof({ index, hashes, checkpoint, extra }: TlogProof): string {
  if (!isTreeSize(index) || !isProof(hashes)) throw invalid('the proof has an invalid index or list of hashes')
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
 * Reads a proof without verifying it.
 *
 * @param proof - bytes, or a string decoded from UTF-8
 * @throws CryptoError `PROOF_INVALID` when it is not a proof, or the number of hashes is wrong for its index and
 *   size; `NOTE_INVALID` or `CHECKPOINT_INVALID` when it does not contain a signed checkpoint
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
  if (index >= size) throw invalid('the index of the proof is outside the tree of its checkpoint')
  const length = inclusionPath(index, size).length
  if (hashes.length !== length) throw invalid(`the proof has ${hashes.length} hashes instead of ${length}`)
  return { index, hashes, checkpoint, extra }
}

/**
 * Verifies a proof: the checkpoint is signed by the log it names, and its tree has the leaf at the index. The
 * source of the proof does not matter, provided that the leaf hash was computed from the data (`leafHash`) and not
 * read from the proof.
 *
 * @param leaf - 32 bytes
 * @param logs - the keys of trusted logs, each only for checkpoints whose origin is the key's name
 * @param witnesses - keys of witnesses; their signatures are in the result, and the caller checks the quorum
 * @throws CryptoError `PROOF_INVALID` when the tree of the checkpoint does not have this leaf at the index, and as
 *   `parseTlogProof` and `openCheckpoint`; TypeError when `leaf` is not 32 bytes
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
    throw invalid('the proof does not lead from this leaf to the root of its checkpoint')
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
  if (index === null) throw invalid('the proof has no index in decimal up to 2^53 − 1')
  return index
}

function parseHash(line: string): Uint8Array {
  const hash = decodeBase64(line)
  if (!isTreeHash(hash)) throw invalid('a hash of the proof is not strict base64 of 32 bytes')
  return hash
}

const invalid = (message: string): CryptoError => new CryptoError('PROOF_INVALID', message)
