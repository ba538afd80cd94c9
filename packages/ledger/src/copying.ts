/** `@sudoagent/ledger/copy`: a ledger, unchanged, in another store. */
export {
  type CopiedBatch,
  type CopiedEntry,
  type CopiedHead,
  type CopyReport,
  copyLedger,
  type LedgerSink,
} from './copy.js'
export { openFileSink } from './store/file-sink.js'
