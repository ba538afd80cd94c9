/**
 * Implements the engine's `Policy` interface with rules.
 *
 * The first rule that matches decides; if no rule matches, the call is denied. Each test is true, false or unclear, in
 * Kleene's three-valued logic (`truth.ts`). A test is unclear if the value has the wrong type or is redacted, or if the
 * readings of a path give different results.
 *
 *     rule's effect       matches       does not match    unclear
 *     allow               allow         next rule         next rule
 *     deny                deny          next rule         deny
 *     require_approval    ask           next rule         deny
 *
 *     new RulePolicy(parsePolicyFile(text, 'policy.yaml')).evaluate(context)
 *     // { decision: 'deny', reasonCode: 'POLICY_RULE:no-system-files', … }
 */
import type { Context, Policy, PolicyDecision, PolicyResult } from '@sudoagent/core'
import type { Hash } from '@sudoagent/crypto'
import { callOf } from './call.js'
import { hashDocument, type PolicyDocument, type PolicyRule } from './document.js'
import type { RealPath } from './path-test.js'
import { compileRule } from './rule.js'

/**
 * The result of one rule. The rule decided (`matched`, or `unclear` if that denies the call), or it was skipped for the
 * reason in `because`.
 */
export interface RuleStep {
  readonly rule: string
  readonly effect: PolicyDecision
  readonly outcome: 'matched' | 'not_matched' | 'unclear'
  /**
   * The reason why the rule did not match; null if it matched. The text names arguments but never contains their
   * values.
   */
  readonly because: string | null
}

/** The result of a rule, without its id. */
type RuleResult = Omit<Required<PolicyResult>, 'ruleId' | 'approval'> & Pick<PolicyResult, 'approval'>

export interface Explanation extends RuleResult {
  /** The rule that decided; null if no rule matched, so that the call is denied. */
  readonly rule: string | null
  /** The evaluated rules in order, up to the rule that decided. */
  readonly steps: readonly RuleStep[]
}

export interface RulePolicyOptions {
  /**
   * Resolves paths. Without `realPath`, tests with `resolve_symlinks` are unclear, so rules with such tests never
   * allow a call.
   */
  readonly realPath?: RealPath
}

/** The context members that rules read. */
export type RuleContext = Pick<Context, 'action' | 'args' | 'kwargs'> & Partial<Pick<Context, 'concealed'>>

/** Reason codes of rule policies. The rule's id follows the colon. */
export const RULE_CODE = 'POLICY_RULE:'
export const RULE_UNCLEAR_CODE = 'POLICY_RULE_UNCLEAR:'
export const NO_RULE_CODE = 'POLICY_NO_RULE'

/**
 * A policy that consists of rules. The first rule that matches decides; if no rule matches, the call is denied. If a
 * `deny` or `require_approval` rule is unclear, the call is denied; an unclear `allow` rule is skipped. `evaluate` is
 * synchronous and deterministic. Without `realPath`, `evaluate` is also pure.
 *
 * The ledger records the rule: `reason_code` is `POLICY_RULE:<id>`, and `reason` ends with the id.
 *
 * @example
 * const policy = new RulePolicy(parsePolicyFile(text, 'policy.yaml'))
 * policy.explain({ action: 'files/read_file', args: [], kwargs: { path: '/srv/data/a.txt' } }).rule   // 'reads'
 */
export class RulePolicy implements Policy {
  readonly kind = 'rules'
  readonly policyId: string
  /** Absent if the policy file does not have a version. */
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

  evaluate(context: RuleContext): RuleResult & Pick<PolicyResult, 'ruleId'> {
    // Reading this property tells the engine that the policy takes concealed values into account. A test of a
    // concealed value is unclear, and an unclear `allow` rule is skipped, so no rule allows a call because of a
    // concealed value.
    void context.concealed
    const { rule, steps: _steps, ...result } = this.explain(context)
    return rule === null ? result : { ...result, ruleId: rule }
  }

  /** Returns the same decision as `evaluate`, with the steps that led to it. */
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
      reason: 'no rule matched, so the call is denied',
      reasonCode: NO_RULE_CODE,
      rule: null,
      steps,
    }
  }
}

function matched({ id, effect, reason, withinMs }: PolicyRule): RuleResult {
  return {
    decision: effect,
    reason: `${reason} (rule ${id})`,
    reasonCode: `${RULE_CODE}${id}`,
    ...(withinMs === null ? {} : { approval: { within: withinMs } }),
  }
}

function unclear({ id }: PolicyRule, because: string | null): RuleResult {
  const reason = `a rule that restricts this call could not be evaluated: ${because} (rule ${id})`
  return { decision: 'deny', reason, reasonCode: `${RULE_UNCLEAR_CODE}${id}` }
}
