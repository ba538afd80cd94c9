export { type StopScope, scopeText } from '@sudoagent/crypto/entry'
export type { EntryDraft } from './entry/entry.js'
export type { Finding, FindingCode } from './entry/finding.js'
export { LedgerError, type LedgerErrorCode } from './error.js'
export type { LedgerReader } from './port/reader.js'
export type {
  AppendedEntry,
  ControlNote,
  ControlWriter,
  LedgerWriter,
  PreparedEntry,
  StoppedCalls,
} from './port/writer.js'
export { type Criteria, type CriteriaInput, parseCriteria, type SelectOptions } from './read/criteria.js'
export { select } from './read/query.js'
export { type MadeReceipt, makeReceipt, type ReceiptKey, type ReceiptOptions } from './read/receipt.js'
export { type CallStory, callStory } from './read/story.js'
export { type CounterOptions, withCounter } from './store/counter.js'
export { addLedgerDriver, isFilePath, type LedgerDriver } from './store/drivers.js'
export { type OpenWriterOptions, openLedgerReader, openLedgerWriter } from './store/open.js'
export type { AnchorReport, Report, Verdict, Warning } from './verify/report.js'
export { residualRisks } from './verify/residual-risk.js'
export { type VerifyOptions, verify } from './verify/verify.js'
export type { WriterOptions } from './write/advance.js'
