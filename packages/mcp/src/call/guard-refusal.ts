// Refusals by the guard itself: before the policy is evaluated, or if the guard fails.
import type { Denial, Policy } from '@sudoagent/core'
import type { CallArguments } from './call-arguments.js'

export interface Refusal {
  readonly code: string
  readonly reason: string
}

export function nameRefusal(tool: string): Refusal | null {
  if (tool === tool.normalize('NFC')) return null
  return { code: 'PARAMETERS_INVALID', reason: 'the name of the tool is not in Unicode normalisation form C' }
}

export const argumentRefusal = ({ refusal }: CallArguments): Refusal | null =>
  refusal === null ? null : { code: 'PARAMETERS_INVALID', reason: refusal }

/** The policy under which such a refusal is recorded, to distinguish it from the policy of the deployment. */
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
  reason: 'the guard failed',
  retryable: true,
  requestId,
  decisionHash: null,
})
