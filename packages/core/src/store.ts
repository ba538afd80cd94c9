/**
 * `@sudoagent/core/store`: the rules of approvals and budgets over any table, for those who keep them elsewhere. The rules are synchronous, so
 * that nothing can come in between: a table that lives on a server loads what a call needs, lets the rules work on that, and writes what they
 * changed, all in one transaction.
 */
export { type ApprovalRow, checkRow } from './approval-store/row.js'
export { type ApprovalTable, TableApprovalStore } from './approval-store/table-store.js'
export { type BookedCharge, type ChargeState, type ChargeTable, TableBudget } from './budget/table-budget.js'
export {
  type ApplicableLimit,
  applicableLimits,
  type CheckedLimits,
  inWindow,
  parseLimits,
  requireCharge,
  requireChargeId,
} from './budget.js'
