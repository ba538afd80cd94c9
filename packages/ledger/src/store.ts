/**
 * `@sudoagent/ledger/store`: building blocks for a store in a different package. `StoreWriter` implements the writer
 * of every store, except for making a step durable; `advance` computes a step (entries, tree and head together);
 * `recover` and the head checks validate the existing content of a store.
 */

export { requestIdOf } from './entry/control.js'
export { parseLine } from './entry/line.js'
export type { LineFault, StoredColumns, StoredLine } from './entry/stored-line.js'
export type { RecordedEntry } from './error.js'
export {
  BATCH_BYTES_MAX,
  BATCH_LINES,
  LEDGER_AHEAD_MS_MAX,
  LINE_BYTES_MAX,
  QUESTIONS_MAX,
  SIGNER_TIMEOUT_MS,
} from './limits.js'
export { ownFields } from './own-fields.js'
export type {
  FetchedSource,
  LineRanges,
  Place,
  RangeRows,
  StoredEvidence,
  StoredText,
  StoreFault,
} from './port/reader.js'
export type { AppendOptions, AskedQuestion, OpenQuestionFilter, OutcomeReport, Question } from './port/writer.js'
export { callNumber, POSITIONS_OF_CALL_MAX } from './rules/call-number.js'
export type { KeyRing } from './rules/key-ring.js'
export { QUESTION_FIELDS, questionFields, questionOf } from './standing/question-fields.js'
export { expiryLimit, type OpenQuestion } from './standing/questions.js'
export { type ControlRow, type Standing, standingOf } from './standing/standing.js'
export { CallBook, withEntry } from './store/call-book.js'
export { leavesOf, treeDamaged, withHash } from './tree/tile-hashes.js'
export {
  type AppendRequest,
  advance,
  aheadOf,
  type CommitPlan,
  EMPTY_STATE,
  type LogState,
  requireAuthorizedWriter,
  type Writer,
  type WriterOptions,
  writerOf,
} from './write/advance.js'
export {
  type CallRecords,
  NO_CHANGES,
  NOT_RECORDED,
  type QuestionChanges,
  type RecordedCall,
} from './write/call-records.js'
export { withTimeout } from './write/deadline.js'
export type { EncodedDraft } from './write/encode-draft.js'
export { headRefused, isHeadOf, readHead, requireMatchingHead, shorterThanHead } from './write/head-check.js'
export { controlsOf, encodeControls, type HeadControls, parseControls, positionsToRead } from './write/head-controls.js'
export { readTail, type Tail } from './write/last-entry.js'
export type { DraftResult, LinkedEntry } from './write/link-batch.js'
export { type Recovered, recover } from './write/recover.js'
export { INDEX_ROWS_MAX, replayControls } from './write/replay-controls.js'
export { type StoreHooks, StoreWriter } from './write/store-writer.js'
