export { printable } from '@sudoagent/crypto'
export type { WriterOptions } from './advance.js'
export { decisionHash } from './chain.js'
export type { Closed, ControlBlock, Genesis, KeyAdded, KeyRetired, LedgerKey } from './control.js'
export { isOrigin, originOf, readControl } from './control.js'
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
} from './entry.js'
export { LedgerError, type LedgerErrorCode } from './error.js'
export { exportCsv } from './export/csv.js'
export type { ExportFormat } from './export/formats.js'
export { exportJson } from './export/json.js'
export { type ExportOptions, exportLedger } from './export/ledger.js'
export { exportNdjson } from './export/ndjson.js'
export {
  type InspectedCheckpoint,
  type InspectedKey,
  type Inspection,
  inspect,
  type StatedSignature,
} from './inspect.js'
export type {
  AppendedEntry,
  ControlWriter,
  FetchedSource,
  LedgerReader,
  LedgerWriter,
  LineFault,
  LineRanges,
  Place,
  PreparedEntry,
  RangeRows,
  StoredColumns,
  StoredEvidence,
  StoredLine,
  StoredText,
  StoreFault,
} from './ledger.js'
export { ERROR_LENGTH_MAX, NAME_LENGTH_MAX, PUBLIC_KEYS_MAX, REASON_LENGTH_MAX } from './limits.js'
export { notRuledOut } from './not-ruled-out.js'
export { openLedger, recognise } from './open.js'
export { type PrefixProof, proveConsistency, proveInclusion, provePrefix } from './prove.js'
export {
  type CallStory,
  type Criteria,
  type CriteriaInput,
  callStory,
  parseCriteria,
  type SelectOptions,
  select,
} from './query.js'
export { type MadeReceipt, makeReceipt, type ReceiptKey, type ReceiptOptions } from './receipt.js'
export type { EntryRecord } from './record.js'
export type { AnchorReport, Finding, FindingCode, Report, Verdict, Warning } from './report.js'
export { readStatedCheckpoint, type StatedCheckpoint } from './stated-checkpoint.js'
export { type CounterOptions, withCounter } from './store/counter.js'
export { formatTimestamp, isTimestamp, timestampMs } from './timestamp.js'
export { encodeState, parseState, type VerifiedState } from './verified-state.js'
export { type VerifyOptions, verify, verifyFrom } from './verify.js'
