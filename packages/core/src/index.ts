export { createSigner, parsePrivateKey, parsePublicKey, SudoAgentError } from '@sudoagent/crypto'
export {
  type LedgerReader,
  type LedgerWriter,
  openLedgerReader,
  openLedgerWriter,
  type Report,
  verify,
} from '@sudoagent/ledger'
export {
  type ApprovalAnswer,
  type ApprovalBinding,
  type ApprovalFilter,
  type ApprovalRecord,
  type ApprovalRequest,
  type ApprovalResolution,
  type ApprovalState,
  type ApprovalStore,
  ApprovalStoreError,
  type ApprovalStoreErrorCode,
  type Approver,
} from './approval/approval.js'
export { ImmediateApprover, type ImmediateApproverOptions } from './approval/immediate.js'
export { InteractiveApprover, type InteractiveApproverOptions } from './approval/interactive.js'
export { MemoryApprovalStore } from './approval/memory-store.js'
export { PollingApprover, type PollingApproverOptions } from './approval/polling.js'
export { type AuditLog, type AuditRecord, JsonlAuditLog } from './audit-log.js'
export type { CallAuthority, ContextActor } from './authority/authority.js'
export { runWith } from './authority/run-with.js'
export type { Authorization } from './boundary/boundary.js'
export {
  type BudgetCharge,
  type BudgetLimits,
  type BudgetScope,
  type BudgetStore,
  BudgetStoreError,
  type BudgetStoreErrorCode,
  type BudgetVerdict,
} from './budget/budget.js'
export { MemoryBudget } from './budget/memory.js'
export type { CallOutcome } from './call/recorder.js'
export { SudoEngine } from './engine.js'
export type { AuthorizeCall, Engine } from './engine-port.js'
export type { EngineView } from './engine-view.js'
export {
  ApprovalDenied,
  ApprovalError,
  AuditLogError,
  BoundaryError,
  CallCancelled,
  CallDenied,
  type Denial,
  type DenialCode,
  ParametersError,
  PolicyError,
} from './error.js'
export type { FromEnvOptions } from './from-env.js'
export type { CallOptions, EngineFault, EngineOptions, OnConcealed, OpenOptions } from './options.js'
export type { Context } from './policy/context.js'
export { AllowAllPolicy, DenyAllPolicy, type Policy, type PolicyDecision, type PolicyResult } from './policy/policy.js'
export { REASON_CODES, type ReasonCode } from './policy/reason-code.js'
export { allow, ask, deny } from './policy/results.js'
export type { PendingApproval } from './question/pending.js'
export { createRedactor, type RedactionOptions, type Redactor } from './redaction/redactor.js'
export type { AnyFunction, AsyncMethod, Guarded, MethodDecorator } from './wrap.js'
