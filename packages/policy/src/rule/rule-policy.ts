/**
 * A policy made of rules, as the engine asks it.
 *
 * The first rule that matches decides; if none does, the call is denied. Each test answers true, false or unclear
 * (`truth.ts`): a value of another type, a redacted value, or a path that has two readings is unclear.
 *
 *     rule's effect       matches       does not match    unclear
 *     allow               allow         next rule         next rule
 *     deny                deny          next rule         deny
 *     require_approval    ask           next rule         deny
 *
 *     new RulePolicy(parsePolicyFile(text)).evaluate(context)
 *     // { decision: 'deny', reasonCode: 'POLICY_RULE:no-system-files', … }
 */
import type { Context, Policy, PolicyDecision, PolicyResult } from '@sudoagent/core'
import type { Hash } from '@sudoagent/crypto'
import { callOf } from './call.js'
import { hashDocument, type PolicyDocument, type PolicyRule } from './document.js'
import type { RealPath } from './path-test.js'
import { compileRule } from './rule.js'

/** What became of one rule: it decided (`matched`, or `unclear` where that denies), or it was passed over, and why. */
export interface RuleStep {
  readonly rule: string
  readonly effect: PolicyDecision
  readonly outcome: 'matched' | 'not_matched' | 'unclear'
  /** Null when it matched. Names arguments, never their values. */
  readonly because: string | null
}

export interface Explanation extends Required<PolicyResult> {
  /** The rule that decided; null: none did, and so the call is denied. */
  readonly rule: string | null
  /** The rules in the order in which they were asked, up to the one that decided. */
  readonly steps: readonly RuleStep[]
}

export interface RulePolicyOptions {
  /** Where a path really leads. Without it, `resolve_symlinks` makes every test unclear: nothing is allowed by it. */
  readonly realPath?: RealPath
}

/** What rules look at of a context. */
export type RuleContext = Pick<Context, 'action' | 'args' | 'kwargs'> & Partial<Pick<Context, 'concealed'>>

/** Reason codes. The rule's id follows the colon. */
export const RULE_CODE = 'POLICY_RULE:'
export const RULE_UNCLEAR_CODE = 'POLICY_RULE_UNCLEAR:'
export const NO_RULE_CODE = 'POLICY_NO_RULE'

/**
 * The first rule that matches decides; if none does, the call is denied. Where a rule cannot be decided (an argument of
 * another type, a redacted value, a path that has two readings) it does not allow; a rule that denies or asks then
 * denies. `evaluate` is synchronous, deterministic and, without `realPath`, pure.
 *
 * The ledger says which rule it was: `reason_code` is `POLICY_RULE:<id>`, and the id stands at the end of `reason`.
 *
 * @example
 * const policy = new RulePolicy(parsePolicyFile(text, 'policy.yaml'))
 * policy.explain({ action: 'files/read_file', args: [], kwargs: { path: '/srv/data/a.txt' } }).rule   // 'reads'
 */
export class RulePolicy implements Policy {
  readonly kind = 'rules'
  readonly policyId: string
  /** Not there when the file has none. */
  declare readonly version?: string
  readonly policyHash: Hash
  readonly document: PolicyDocument
  readonly #rules: readonly { readonly rule: PolicyRule; readonly check: ReturnType<typeof compileRule> }[]
  readonly #realPath: RealPath | null

  constructor(document: PolicyDocument, { realPath }: RulePolicyOptions = {}) {
    this.document = document
    this.policyId = document.id
    if (document.version !== null) this.version = document.version
    this.policyHash = hashDocument(document)
    this.#rules = document.rules.map((rule) => ({ rule, check: compileRule(rule) }))
    this.#realPath = realPath ?? null
  }

  evaluate(context: RuleContext): Required<PolicyResult> {
    // Says to the engine that this policy knows what it does not see: a test of something concealed is unclear, and so a rule
    // allows only where it tests nothing concealed.
    void context.concealed
    const { decision, reason, reasonCode } = this.explain(context)
    return { decision, reason, reasonCode }
  }

  /** The same answer, with how it came about. */
  explain(context: Pick<Context, 'action' | 'args' | 'kwargs'>): Explanation {
    const call = callOf(context)
    const realPath = this.#realPath?.perEvaluation?.() ?? this.#realPath
    const steps: RuleStep[] = []
    for (const { rule, check } of this.#rules) {
      const { truth, because } = check(call, realPath)
      const outcome = truth === 'true' ? 'matched' : truth === 'false' ? 'not_matched' : 'unclear'
      steps.push({ rule: rule.id, effect: rule.effect, outcome, because })
      if (outcome === 'matched') return { ...matched(rule), rule: rule.id, steps }
      if (outcome === 'unclear' && rule.effect !== 'allow') return { ...unclear(rule, because), rule: rule.id, steps }
    }
    return {
      decision: 'deny',
      reason: 'no rule matched, and what no rule allows is denied',
      reasonCode: NO_RULE_CODE,
      rule: null,
      steps,
    }
  }
}

function matched({ id, effect, reason }: PolicyRule): Required<PolicyResult> {
  return { decision: effect, reason: `${reason} (rule ${id})`, reasonCode: `${RULE_CODE}${id}` }
}

function unclear({ id }: PolicyRule, because: string | null): Required<PolicyResult> {
  const reason = `it cannot be decided whether a rule against this call applies: ${because} (rule ${id})`
  return { decision: 'deny', reason, reasonCode: `${RULE_UNCLEAR_CODE}${id}` }
}
