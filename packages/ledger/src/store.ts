/**
 * `@sudoagent/ledger/store`: what a store is made of, for those who keep a ledger elsewhere. `advance` takes one step of a ledger (entries, tree
 * and head together), `GroupCommit` makes what waits together durable together, `catchUp` and the checks of the head judge what a writer finds.
 */
export {
  addKey,
  advance,
  aheadOf,
  beginLedger,
  closeForGood,
  EMPTY_STATE,
  type LogState,
  refuseWriter,
  retireKey,
  type Step,
  type Work,
  type Writer,
  type WriterOptions,
  writerOf,
} from './advance.js'
export { GroupCommit, type LinkedEntry, only } from './append.js'
export { type CaughtUp, catchUp, ringBehind } from './catch-up.js'
export { inTime } from './deadline.js'
export { checkHead, headRefused, isHeadOf, readHead, shorterThanHead } from './head-check.js'
export type { KeyRing } from './key-ring.js'
export { BATCH_BYTES_MAX, BATCH_LINES, LINE_BYTES_MAX, SIGNER_TIMEOUT_MS } from './limits.js'
export { ownFields } from './own-fields.js'
export { callNumber, POSITIONS_OF_CALL_MAX } from './store/call-number.js'
export { readTail, type Tail } from './store/tail.js'
export { leavesOf, treeDamaged, withHash } from './tile-hashes.js'
