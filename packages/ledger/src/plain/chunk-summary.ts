// What a chunk of a ledger says, some thousand lines of it, once nothing is wrong with any line by itself or with the one before it in the
// chunk: what is left to check needs to know what came before the chunk.
import type { Hash } from '@sudoagent/crypto'
import { CALL_KEY_WORDS } from '../rules/call-key.js'
import type { DecidedCall } from '../rules/described-call.js'
import type { ApprovalUse, CallText } from '../rules/line-facts.js'

/** Plain data, so that it can be handed over between threads. */
export interface ChunkSummary {
  readonly lines: number
  /** Lines that were read in full, because they were not recognised. */
  readonly readInFull: number
  /** What the first line names as its predecessor. Within the chunk, the chain was checked. */
  readonly previous: Hash | null
  /** Hash of the last line. */
  readonly last: Hash
  readonly decisions: number
  readonly outcomes: number
  /** Lines with a signature. Where signatures are checked, all of them, and each is valid under one of the keys that were given. */
  readonly signed: number
  /** Ids of keys that the lines name. */
  readonly keyIds: readonly string[]
  readonly createdAt: readonly [first: string, last: string]
  /** Within the chunk, the clock never went back. */
  readonly recordedAt: readonly [first: string, last: string]
  /** 32 bytes a line: its `entry_hash`. */
  readonly hashes: Uint8Array
  /** 32 bytes a line: the leaf of the tree that it is. */
  readonly leaves: Uint8Array
  /** `CALL_WORDS` words a line: what it does in the life of a call. */
  readonly calls: Uint32Array
  /** Lines whose creation is named well after their recording. */
  readonly createdLate: number
  /** Calls that are allowed here and end in a later chunk, if at all. */
  readonly opened: readonly (DecidedCall & { readonly line: number })[]
  /** Outcomes of calls that an earlier chunk decided on, if any did: what they say of the call. */
  readonly closed: readonly (CallText & { readonly line: number })[]
  /** Approvals under which calls are allowed here. */
  readonly approvals: readonly ApprovalUse[]
}

/** A kind, and the key of the call. */
export const CALL_WORDS = 1 + CALL_KEY_WORDS

/** What a line does in the life of a call. */
export const DENIED = 0
export const ALLOWED = 1
export const OUTCOME = 2
