// Builds the refusals that come from the guard itself: before the policy is evaluated, or after an internal error.
import type { Denial, Policy } from '@sudoagent/core'
import type { CallArguments } from './call-arguments.js'

export interface Refusal {
  readonly code: string
  readonly reason: string
}

export function nameRefusal(tool: string): Refusal | null {
  if (tool === tool.normalize('NFC')) return null
  return { code: 'PARAMETERS_INVALID', reason: 'the tool name is not in Unicode Normalization Form C' }
}

export const argumentRefusal = ({ refusal }: CallArguments): Refusal | null =>
  refusal === null ? null : { code: 'PARAMETERS_INVALID', reason: refusal }

/** The policy under which a refusal by the guard is recorded. Its id differs from the id of the deployed policy. */
export function refusalPolicy({ code, reason }: Refusal): Policy {
  return {
    policyId: 'sudoagent-mcp-guard',
    version: '1',
    evaluate: () => ({ decision: 'deny', reason, reasonCode: code }),
  }
}

export const internalDenial = (requestId: string): Denial => ({
  status: 'denied',
  code: 'GUARD_FAILED',
  reason: 'internal error in the guard',
  retryable: true,
  requestId,
  decisionHash: null,
})
