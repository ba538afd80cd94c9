// The summary of a chunk: a few thousand lines, each of which is valid by itself and follows the line before it. The
// remaining checks need the state of the ledger before the chunk.
import type { Hash } from '@sudoagent/crypto'
import type { Asked } from '@sudoagent/crypto/entry'
import type { AllowedCall } from '../rules/allowed-call.js'
import { CALL_KEY_WORDS } from '../rules/call-key.js'
import type { DecidedCall } from '../rules/described-call.js'
import type { AnsweredCall, ApprovalUse, CallText } from '../rules/line-facts.js'

/** Plain data that can be transferred between threads. */
export interface ChunkSummary {
  readonly lines: number
  /** Number of lines that the recogniser did not accept, so that `checkLine` read them. */
  readonly readInFull: number
  /** `prev_entry_hash` of the first line. The chain within the chunk has been checked. */
  readonly previous: Hash | null
  /** Hash of the last line. */
  readonly last: Hash
  readonly decisions: number
  readonly outcomes: number
  /** Number of lines with a signature. If signatures are checked, every line has a valid signature by a given key. */
  readonly signed: number
  /** Key ids named in the lines. */
  readonly keyIds: readonly string[]
  readonly createdAt: readonly [first: string, last: string]
  /** `recorded_at` of the first and of the last line; the times never go back within the chunk. */
  readonly recordedAt: readonly [first: string, last: string]
  /** `entry_hash` of each line, 32 bytes. */
  readonly hashes: Uint8Array
  /** Leaf hash of each line in the Merkle tree, 32 bytes. */
  readonly leaves: Uint8Array
  /** Event and call key of each line, `CALL_WORDS` words. */
  readonly calls: Uint32Array
  /** Number of lines whose `created_at` is well after their `recorded_at`. */
  readonly createdLate: number
  /** Calls that are allowed in this chunk and have no outcome in it. */
  readonly opened: readonly (DecidedCall & { readonly line: number })[]
  /** Outcomes whose decision is not in this chunk, with the outcome's description of the call. */
  readonly closed: readonly (CallText & { readonly line: number })[]
  /** Approvals under which calls are allowed in this chunk. */
  readonly approvals: readonly ApprovalUse[]
  /**
   * The different agents, actions and authorities of the calls that are allowed in this chunk, to compare them with
   * open stops; null if they were not asked for.
   */
  readonly allowed: readonly AllowedCall[] | null
  /** The questions in this chunk, and the decisions that answer questions. */
  readonly questions: readonly ChunkQuestion[]
  /** Number of calls that are allowed under an approval. */
  readonly approved: number
  /** Number of these calls of which something is recorded as something other than itself. */
  readonly approvedRedacted: number
}

/** A question, or a decision that answers one. */
export interface ChunkQuestion {
  readonly line: number
  readonly recordedAt: string
  /** `recorded_at` of the line before; null for the first line. */
  readonly before: string | null
  readonly asked: Asked | null
  readonly answered: AnsweredCall | null
}

/** An event (`DENIED`, `ALLOWED` or `OUTCOME`) and the key of the call. */
export const CALL_WORDS = 1 + CALL_KEY_WORDS

/** The event of a line in `calls`. */
export const DENIED = 0
export const ALLOWED = 1
export const OUTCOME = 2
/** A question, which has no call key. */
export const ASKED = 3
