// Step two: the policy evaluates a call.
import { supportsTtlMs } from '../approval/ttl.js'
import { type CheckedPolicy, type EngineParts, requireNoSecret } from '../options.js'
import { policyView } from '../policy/context.js'
import { type CheckedPolicyResult, parsePolicyResult } from '../policy/policy.js'
import { within } from './deadline.js'
import type { DecisionRequest } from './decision.js'
import { Refusal } from './refusal.js'

/**
 * Evaluates the policy.
 *
 * @throws Refusal POLICY_EVALUATION_FAILED if the policy throws, exceeds its time limit, or returns a result that is
 * invalid or needs a ledger that records questions
 */
export async function evaluatePolicy(
  parts: Pick<EngineParts, 'redactor' | 'timeoutMs' | 'ledger'>,
  request: DecisionRequest,
  policy: CheckedPolicy,
): Promise<CheckedPolicyResult> {
  const result = await checkedResult(parts, request, policy)
  if (result.withinMs === null || supportsTtlMs(parts.ledger, result.withinMs)) return result
  throw new Refusal({
    kind: 'policy',
    code: 'POLICY_EVALUATION_FAILED',
    reason: 'the policy gives an approver more than an hour, which requires a ledger that records questions',
    cause: new TypeError('`approval.within` of more than an hour requires a ledger that records questions (`ask`)'),
  })
}

async function checkedResult(
  { redactor, timeoutMs }: Pick<EngineParts, 'redactor' | 'timeoutMs'>,
  request: DecisionRequest,
  policy: CheckedPolicy,
): Promise<CheckedPolicyResult> {
  try {
    const context = policyView(request.context, request.authority.options)
    const result = parsePolicyResult(await within(timeoutMs, 'policy', () => policy.evaluate(context)))
    return {
      ...result,
      reason: redactor.text(result.reason),
      reasonCode: requireNoSecret('reasonCode', result.reasonCode, redactor),
      ruleId: result.ruleId === null ? null : requireNoSecret('ruleId', result.ruleId, redactor),
    }
  } catch (cause) {
    throw new Refusal({
      kind: 'policy',
      code: 'POLICY_EVALUATION_FAILED',
      reason: 'the policy could not be evaluated',
      cause,
    })
  }
}
