/** `@sudoagent/ledger/entry`: the types and limits of ledger entries, and functions that read them. */

export type { Asked, Resume, Stop } from '@sudoagent/crypto/entry'
export type {
  Closed,
  ControlBlock,
  Genesis,
  InvalidControl,
  KeyAdded,
  KeyRetired,
  LedgerKey,
} from './entry/control.js'
export { askedOf, isOrigin, originOf, readControl } from './entry/control.js'
export { decisionHash } from './entry/decision-hash.js'
export {
  type Actor,
  type ApprovalBlock,
  approvalOf,
  authorityOf,
  type BindingBlock,
  type BudgetBlock,
  type CallEntry,
  type CheckpointEntry,
  type DecisionBlock,
  type Effect,
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
export type { EntryRecord } from './entry/record.js'
export { formatTimestamp, isTimestamp, timestampMs } from './entry/timestamp.js'
export { ERROR_LENGTH_MAX, NAME_LENGTH_MAX, PUBLIC_KEYS_MAX, REASON_LENGTH_MAX } from './limits.js'
