/**
 * Encodes and parses the request for a cosignature (https://c2sp.org/tlog-witness, `add-checkpoint`). The request
 * contains the size of the tree that the witness cosigned last, a proof that the new tree extends that tree, a
 * blank line, and the new signed checkpoint.
 *
 *     old 20852014
 *     PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
 *     jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
 *
 *     example.com/behind-the-sofa
 *     20852163
 *     CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
 *
 *     — example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
 *
 * Every line ends in a line feed. For a log that the witness has not seen, the old size is 0, and there is no
 * proof.
 */

import { CryptoError } from '@sudoagent/crypto'
import { decodeBase64, decodeUtf8, encodeBase64 } from '@sudoagent/crypto/bytes'
import { type Checkpoint, parseCheckpoint, parseNote } from '@sudoagent/crypto/note'
import { HASH_BYTES } from '@sudoagent/crypto/tree'
import { WitnessError } from './error.js'

/** C2SP: "The client MUST NOT send more than 63 consistency proof lines." */
export const PROOF_LINES_MAX = 63

/**
 * Maximum length of a request. A hundred plain signatures and a full proof take 40,000 bytes. C2SP also requires
 * room for sixteen post-quantum signatures, which take another 80,000 bytes.
 */
export const SUBMISSION_BYTES_MAX = 256 * 1024

/** Content type of an answer that contains the size that the witness recorded. */
export const SIZE_TYPE = 'text/x.tlog.size'

export interface Submission {
  /** Size of the tree that the witness probably cosigned last; 0 if the witness has not cosigned a tree of this log. */
  readonly oldSize: number
  /** At most 63 hashes of 32 bytes each. */
  readonly proof: readonly Uint8Array[]
  /** The checkpoint as a signed note. */
  readonly checkpoint: string
}

/** A parsed request. Its checkpoint and proof are unverified. */
export interface UnverifiedSubmission extends Submission {
  /** The checkpoint content. */
  readonly claim: Checkpoint
}

const OLD = /^old (0|[1-9][0-9]{0,15})$/
const SPLIT = '\n\n'

/**
 * Encodes a request body.
 *
 * @throws WitnessError `SUBMISSION_INVALID` for values that `parseAddCheckpoint` would reject
 */
export function encodeAddCheckpoint({ oldSize, proof, checkpoint }: Submission): string {
  const lines = [`old ${oldSize}`, ...proof.map(encodeBase64)]
  const body = `${lines.join('\n')}${SPLIT}${checkpoint}`
  const read = parseAddCheckpoint(new TextEncoder().encode(body))
  if (read.checkpoint !== checkpoint) throw invalid('the checkpoint changes when the request is parsed')
  return body
}

/**
 * Parses a request body strictly.
 *
 * @throws WitnessError `SUBMISSION_INVALID` for more than 256 KiB or 63 proof lines; for invalid UTF-8, decimals,
 *   base64 or hashes; for sizes beyond 2^53 − 1; and for an invalid checkpoint
 */
export function parseAddCheckpoint(body: Uint8Array): UnverifiedSubmission {
  if (body.length > SUBMISSION_BYTES_MAX) throw invalid(`the request is longer than ${SUBMISSION_BYTES_MAX} bytes`)
  const text = decode(body)
  const split = text.indexOf(SPLIT)
  if (split < 0) throw invalid('the request has no blank line before its checkpoint')
  const [old = '', ...proofLines] = text.slice(0, split).split('\n', PROOF_LINES_MAX + 2)
  const oldSize = Number(OLD.exec(old)?.[1] ?? Number.NaN)
  if (!Number.isSafeInteger(oldSize)) throw invalid('the request does not start with `old` and a size up to 2^53 − 1')
  if (proofLines.length > PROOF_LINES_MAX) throw invalid(`the proof has more than ${PROOF_LINES_MAX} lines`)
  const checkpoint = text.slice(split + SPLIT.length)
  return { oldSize, proof: proofLines.map(parseHash), checkpoint, claim: parseClaim(checkpoint) }
}

function parseHash(line: string): Uint8Array {
  const hash = decodeBase64(line)
  if (hash?.length !== HASH_BYTES) throw invalid('a proof line is not strict base64 of 32 bytes')
  return hash
}

function parseClaim(checkpoint: string): Checkpoint {
  try {
    return parseCheckpoint(parseNote(checkpoint).text)
  } catch (error) {
    if (error instanceof CryptoError) throw invalid(error.message)
    throw error
  }
}

function decode(body: Uint8Array): string {
  try {
    return decodeUtf8(body)
  } catch {
    throw invalid('the request is not UTF-8')
  }
}

const invalid = (message: string): WitnessError => new WitnessError('SUBMISSION_INVALID', message)
