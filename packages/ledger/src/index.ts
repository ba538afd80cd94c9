export { printable } from '@sudoagent/crypto'
export type { Closed, ControlBlock, Genesis, KeyAdded, KeyRetired, LedgerKey } from './entry/control.js'
export { isOrigin, originOf, readControl } from './entry/control.js'
export { decisionHash } from './entry/decision-hash.js'
export {
  type Actor,
  type ApprovalBlock,
  approvalOf,
  type BindingBlock,
  type BudgetBlock,
  type CallEntry,
  type CheckpointEntry,
  type DecisionBlock,
  type Effect,
  type EntryDraft,
  isCallEntry,
  type JsonObject,
  type KnownApproval,
  LEDGER_VERSION,
  type LedgerEntry,
  type OutcomeBlock,
  type OutcomeStatus,
  type Parameters,
  type PypiApproval,
  SCHEMA_VERSION,
} from './entry/entry.js'
export type { Finding, FindingCode } from './entry/finding.js'
export type { EntryRecord } from './entry/record.js'
export type { LineFault, StoredColumns, StoredLine } from './entry/stored-line.js'
export { formatTimestamp, isTimestamp, timestampMs } from './entry/timestamp.js'
export { LedgerError, type LedgerErrorCode } from './error.js'
export { exportCsv } from './export/csv.js'
export type { ExportFormat } from './export/formats.js'
export { exportJson } from './export/json.js'
export { exportNdjson } from './export/ndjson.js'
export { ERROR_LENGTH_MAX, NAME_LENGTH_MAX, PUBLIC_KEYS_MAX, REASON_LENGTH_MAX } from './limits.js'
export type {
  FetchedSource,
  LedgerReader,
  LineRanges,
  Place,
  RangeRows,
  StoredEvidence,
  StoredText,
  StoreFault,
} from './port/reader.js'
export type { AppendedEntry, ControlWriter, LedgerWriter, PreparedEntry } from './port/writer.js'
export { type Criteria, type CriteriaInput, parseCriteria, type SelectOptions } from './read/criteria.js'
export { type ExportOptions, exportLedger } from './read/export-ledger.js'
export {
  type InspectedCheckpoint,
  type InspectedKey,
  type Inspection,
  inspect,
  type StatedSignature,
} from './read/inspect.js'
export { type CallStory, callStory, select } from './read/query.js'
export { type MadeReceipt, makeReceipt, type ReceiptKey, type ReceiptOptions } from './read/receipt.js'
export { type CounterOptions, withCounter } from './store/counter.js'
export { addLedgerDriver, type LedgerDriver } from './store/drivers.js'
export { type OpenWriterOptions, openLedgerReader, openLedgerWriter } from './store/open.js'
export { type PrefixProof, proveConsistency, proveInclusion, provePrefix } from './tree/prove.js'
export type { AnchorReport, Report, Verdict, Warning } from './verify/report.js'
export { residualRisks } from './verify/residual-risk.js'
export { encodeState, parseState, type VerifiedState } from './verify/saved-state.js'
export { readUnverifiedCheckpoint, type UnverifiedCheckpoint } from './verify/unverified-checkpoint.js'
export { type VerifyOptions, verify, verifyFrom } from './verify/verify.js'
export type { WriterOptions } from './write/advance.js'
