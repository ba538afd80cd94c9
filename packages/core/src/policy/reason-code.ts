// Why a call was decided as it was. The first ten are the ones of SudoAgent for Python; a policy may bring its own.

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
  'QUESTIONS_FULL',
  'CLOCK_BEHIND_LEDGER',
  'ARGUMENTS_CONCEALED',
] as const)

/** One of ours. A policy's own code is any name of up to 256 characters, so fields that carry one are plain strings. */
export type ReasonCode = (typeof REASON_CODES)[number]
