/** `@sudoagent/ledger/copy`: copies a ledger, unchanged, to a different store. */

export { openFileSink } from './store/copy-target.js'
export {
  type CopiedBatch,
  type CopiedEntry,
  type CopiedHead,
  type CopyReport,
  copyLedger,
  type LedgerSink,
} from './write/copy-ledger.js'
