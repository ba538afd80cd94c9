export { decisionHash } from './chain.js'
export {
  type Actor,
  type ApprovalBlock,
  type BindingBlock,
  type BudgetBlock,
  type CallEntry,
  type CheckpointEntry,
  type DecisionBlock,
  type Effect,
  type EntryDraft,
  isCallEntry,
  type JsonObject,
  LEDGER_VERSION,
  type LedgerEntry,
  type OutcomeBlock,
  type OutcomeStatus,
  type Parameters,
  SCHEMA_VERSION,
} from './entry.js'
export { LedgerError, type LedgerErrorCode } from './error.js'
export { exportCsv } from './export/csv.js'
export { exportJson } from './export/json.js'
export { exportNdjson } from './export/ndjson.js'
export type {
  AppendedEntry,
  LedgerReader,
  LedgerWriter,
  LineFault,
  StoredColumns,
  StoredLine,
  StoreFault,
} from './ledger.js'
export { ERROR_LENGTH_MAX, NAME_LENGTH_MAX, PUBLIC_KEYS_MAX, REASON_LENGTH_MAX } from './limits.js'
export { openLedger } from './open.js'
export { printable } from './printable.js'
export {
  type CallStory,
  type Criteria,
  type CriteriaInput,
  callStory,
  type EntryRecord,
  parseCriteria,
  select,
} from './query.js'
export { makeReceipt, type Receipt } from './receipt.js'
export { type Finding, type FindingCode, notRuledOut, type Report, type Verdict } from './report.js'
export { formatTimestamp, isTimestamp, timestampMs } from './timestamp.js'
export { type VerifyOptions, verify } from './verify.js'
