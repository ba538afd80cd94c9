// Evaluates a policy for one call as the engine would: with arguments redacted, frozen and limited in size. Runs and
// stores nothing.
import {
  ApprovalDenied,
  CallDenied,
  type Context,
  ImmediateApprover,
  type Policy,
  type PolicyResult,
  SudoEngine,
} from '@sudoagent/core'
import { MemoryLedger } from '@sudoagent/ledger/memory'
import type { LoadedPolicy, RuleStep } from '@sudoagent/policy'
import { CliError, EXIT } from '../../exit.js'

export interface CallExplanation {
  readonly call: { readonly action: string; readonly args: unknown; readonly kwargs: unknown }
  readonly policy: { readonly policy_id: string; readonly policy_version: string | null; readonly policy_hash: string }
  readonly decision: string
  readonly reason: string
  readonly reason_code: string
  /** The time that the policy gives approvers, in milliseconds; null if the engine's applies, or none is needed. */
  readonly approval_within_ms: number | null
  /** The rule that decided; null for the default decision and for a module. */
  readonly rule: string | null
  /** The rules in order of evaluation; null for a module. */
  readonly steps: readonly (RuleStep & { readonly line: number })[] | null
}

/**
 * Evaluates the policy for a call of the agent `explain`.
 *
 * @throws CliError if the call cannot be recorded or the policy fails; the engine would deny such a call
 */
export async function explainCall(
  policy: LoadedPolicy,
  action: string,
  kwargs: Readonly<Record<string, unknown>>,
): Promise<CallExplanation> {
  let seen: Context | undefined
  let answer: PolicyResult | undefined
  const watched: Policy = {
    policyId: policy.policyId,
    policyHash: policy.policyHash,
    async evaluate(context) {
      seen = context
      answer = await policy.evaluate(context)
      return answer
    },
  }
  const approver = new ImmediateApprover(false)
  const engine = new SudoEngine({ policy: watched, agentId: 'explain', ledger: new MemoryLedger(), approver })
  try {
    await engine.execute((_kwargs) => {}, [kwargs], { action })
  } catch (error) {
    // A denial is a result, not an error: either the policy denied the call, or the approver did. This approver denies
    // every call.
    if (!(error instanceof ApprovalDenied)) throw notExplained(error)
  }
  if (seen === undefined || answer === undefined) throw new Error('the policy was not evaluated')
  const { decision, reason, reasonCode, approval } = answer
  const explained = policy.kind === 'rules' ? policy.explain(seen) : null
  const lines = new Map(policy.kind === 'rules' ? policy.document.rules.map(({ id, line }) => [id, line]) : [])
  return {
    call: { action, args: seen.args, kwargs: seen.kwargs },
    policy: {
      policy_id: policy.policyId,
      policy_version: policy.version ?? null,
      policy_hash: policy.policyHash,
    },
    decision,
    reason,
    reason_code: reasonCode ?? 'none of its own',
    approval_within_ms: decision === 'require_approval' ? (approval?.within ?? null) : null,
    rule: explained?.rule ?? null,
    steps: explained?.steps.map((step) => ({ ...step, line: lines.get(step.rule) ?? 0 })) ?? null,
  }
}

function notExplained(error: unknown): unknown {
  if (!(error instanceof CallDenied) && !(error instanceof TypeError)) return error
  const { message, cause } = error
  const why = cause instanceof Error ? `: ${cause.message.split('\n')[0]}` : ''
  return new CliError(EXIT.failed, `${message}${why}`, 'the engine would deny this call', error)
}
