/**
 * `@sudoagent/ledger/store`: what a store is made of, for those who keep a ledger elsewhere. `advance` takes one step of a ledger (entries, tree
 * and head together), `GroupCommit` makes what waits together durable together, `recover` and the checks of the head judge what a writer finds.
 */

export { BATCH_BYTES_MAX, BATCH_LINES, LINE_BYTES_MAX, SIGNER_TIMEOUT_MS } from './limits.js'
export { ownFields } from './own-fields.js'
export { callNumber, POSITIONS_OF_CALL_MAX } from './rules/call-number.js'
export type { KeyRing } from './rules/key-ring.js'
export { leavesOf, treeDamaged, withHash } from './tree/tile-hashes.js'
export {
  type AppendRequest,
  addKey,
  advance,
  aheadOf,
  type CommitPlan,
  EMPTY_STATE,
  type LogState,
  refuseWriter,
  retireKey,
  sealLedger,
  type Writer,
  type WriterOptions,
  writeGenesis,
  writerOf,
} from './write/advance.js'
export { withTimeout } from './write/deadline.js'
export { GroupCommit } from './write/group-commit.js'
export { checkHead, headRefused, isHeadOf, readHead, shorterThanHead } from './write/head-check.js'
export { readTail, type Tail } from './write/last-entry.js'
export { type LinkedEntry, singleEntry } from './write/link-batch.js'
export { type Recovered, recover, ringBehind } from './write/recover.js'
