/** `@sudoagent/crypto/entry`: the shape, hashes and timestamps of a ledger entry. */

export { APPROVAL_USE_GRACE_MS, type ApprovalTimes, isApprovalLate, isDeadlineOver } from './entry/approval-deadline.js'
export {
  AUTHORITY_TEXT_LENGTH_MAX,
  type Authority,
  authorityMisfit,
  authorityRows,
  DELEGATION_MAX,
  type Delegate,
  hashAuthority,
  isAuthorityId,
  isThumbprint,
  type Subject,
} from './entry/authority.js'
export {
  type Commitment,
  commitCall,
  commitmentKeyId,
  commitmentMisfit,
  commitResult,
  type ResultCommitment,
} from './entry/commitment.js'
export { type DecisionFacts, hashDecisionFacts, hashDecisionTexts, normalFacts } from './entry/decision-hash.js'
export { hashEntry, type Members } from './entry/entry-hash.js'
export {
  isPypiBudgetDenial,
  isPypiEntry,
  PYPI_ACTOR,
  parametersText,
  pypiAsksForApproval,
  pypiMisfit,
  pypiPolicyHash,
} from './entry/pypi-entry.js'
export {
  type Asked,
  hasTimeToAnswer,
  isAsked,
  isRedactedCount,
  QUESTION_TTL_MS_MAX,
  questionRows,
  redactedText,
} from './entry/question.js'
export {
  APPROVALS_MAX,
  assertedRequirement,
  FACTORS_MAX,
  type Factor,
  hashRequirement,
  type Requirement,
  requirementMisfit,
  requirementRows,
} from './entry/requirement.js'
export {
  checkEntry,
  draftMisfit,
  type EntryProblem,
  LEDGER_VERSION,
  NAME_LENGTH_MAX,
  REASON_LENGTH_MAX,
  REQUEST_ID_LENGTH_MAX,
  SCHEMA_VERSION,
} from './entry/shape.js'
export { type CallHashes, hashShownCall, type ShownCall } from './entry/shown-call.js'
export {
  CONTROL_BY_LENGTH_MAX,
  CONTROL_REASON_LENGTH_MAX,
  isResume,
  isStop,
  isStopScope,
  type Resume,
  type Stop,
  type StopScope,
  scopeText,
  stopRows,
} from './entry/stop.js'
export { elapsedMs, isTimestamp, timestampMs } from './entry/timestamp.js'
