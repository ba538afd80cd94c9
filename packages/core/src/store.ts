/**
 * `@sudoagent/core/store`: the rules of approvals and budgets on top of any table, for implementations of other stores.
 * The rules are synchronous, so that no other operation can run in between. In one transaction, a store on a server
 * loads the rows of a call, applies the rules, and writes the changes.
 */
export { ownFields } from '@sudoagent/ledger/store'
export {
  APPROVAL_LIST_DEFAULT,
  APPROVAL_LIST_MAX,
  APPROVAL_RETENTION_MS,
  APPROVAL_STATES,
  APPROVAL_TTL_MS_DEFAULT,
  APPROVAL_TTL_MS_MAX,
  type AskedRequest,
  LEASE_MS,
  QUESTION_TTL_MS_MAX,
} from './approval/approval.js'
export {
  COLUMN_BYTES_MAX,
  checkQuestion,
  checkQuestions,
  LEASE_HOLDER_LENGTH_MAX,
  QUESTION_COLUMNS,
  type QuestionRow,
} from './approval/question-row.js'
export { type ApprovalRow, checkRow } from './approval/row.js'
export {
  type ApprovalTable,
  type CallQuery,
  type QuestionQuery,
  type QuestionTable,
  type RowTable,
  TableApprovalStore,
} from './approval/table-store.js'
export {
  type ApplicableLimit,
  applicableLimits,
  type CheckedLimits,
  parseLimits,
  requireCharge,
  requireChargeId,
  requireNowMs,
} from './budget/budget.js'
export { type BookedCharge, type ChargeState, type ChargeTable, TableBudget } from './budget/table-budget.js'
export { readOptions } from './check.js'
