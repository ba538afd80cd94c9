// The members of a recognised line.

/** The members whose values are used. Each number is an index into the offset tables. */
export const M = {
  action: 0,
  principal: 1,
  source: 2,
  agentId: 3,
  budgetCost: 4,
  createdAt: 5,
  decisionHash: 6,
  effect: 7,
  policyHash: 8,
  policyId: 9,
  policyVersion: 10,
  reason: 11,
  reasonCode: 12,
  entryHash: 13,
  signature: 14,
  event: 15,
  keyId: 16,
  metadata: 17,
  error: 18,
  errorType: 19,
  status: 20,
  parameters: 21,
  previous: 22,
  recordedAt: 23,
  requestId: 24,
  authority: 25,
  commitment: 26,
} as const

export type Member = (typeof M)[keyof typeof M]

export const MEMBERS = Object.keys(M).length

/** Members that may be absent or null, so their offsets are reset before each line. */
export const OPTIONAL = [
  M.authority,
  M.budgetCost,
  M.commitment,
  M.effect,
  M.policyVersion,
  M.reasonCode,
  M.signature,
  M.keyId,
  M.metadata,
  M.error,
  M.errorType,
  M.status,
]
