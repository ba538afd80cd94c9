import { expect, it } from 'vitest'
import * as core from '../src/index.js'

it('codes of errors are types: a comparison with a code that an error never has does not compile', () => {
  type Failed = core.PolicyError | core.ApprovalError | core.AuditLogError | core.ParametersError
  const codeOf = (error: Failed): core.ReasonCode => error.code
  // @ts-expect-error misspelt
  const isPolicy = (error: core.PolicyError): boolean => error.code === 'POLICY_EVALUATION_FAILD'
  const denial = { status: 'denied', reason: 'r', retryable: false, requestId: '1', decisionHash: null } as const
  const error = new core.PolicyError({ ...denial, code: 'POLICY_EVALUATION_FAILED' })
  expect([codeOf(error), isPolicy(error)]).toEqual(['POLICY_EVALUATION_FAILED', false])
})
