// The reason codes of decisions. SudoAgent for Python defined the first ten codes. A policy may use its own codes.

export const REASON_CODES = Object.freeze([
  'POLICY_ALLOW_LOW_RISK',
  'POLICY_DENY_HIGH_RISK',
  'POLICY_REQUIRE_APPROVAL_HIGH_VALUE',
  'POLICY_EVALUATION_FAILED',
  'BUDGET_EXCEEDED_AGENT_RATE',
  'BUDGET_EXCEEDED_TOOL_RATE',
  'BUDGET_EVALUATION_FAILED',
  'APPROVAL_DENIED',
  'APPROVAL_PROCESS_FAILED',
  'LEDGER_WRITE_FAILED_DECISION',
  'PARAMETERS_CHANGED',
  'PARAMETERS_INVALID',
  'AUTHORITY_INVALID',
  'APPROVAL_EXPIRED',
  'APPROVAL_ALREADY_USED',
  'APPROVAL_NOT_FOUND',
  'APPROVAL_STALE',
  'QUESTIONS_FULL',
  'CLOCK_BEHIND_LEDGER',
  'ARGUMENTS_CONCEALED',
  'STOPPED',
  'CALL_CANCELLED',
  'CALL_DECIDED',
  'BOUNDARY_FAILED',
] as const)

/**
 * A code that this package defines. A policy's own code is any name of up to 256 characters, so fields with a code are
 * plain strings.
 */
export type ReasonCode = (typeof REASON_CODES)[number]
