// Policies: who may do what. A policy sees the redacted, frozen context and says allow, deny or require_approval; everything else it might
// do (throw, hang, return nonsense) means deny.
import { encodeCanonical, type Hash, isHash, sha256Hex } from '@sudoagent/crypto'
import { NAME_LENGTH_MAX, REASON_LENGTH_MAX } from '@sudoagent/ledger'
import { memberOf, quote, readFields, requireText } from '../check.js'
import type { Context } from './context.js'
import type { ReasonCode } from './reason-code.js'

export type PolicyDecision = 'allow' | 'deny' | 'require_approval'

export interface PolicyResult {
  readonly decision: PolicyDecision
  /** For people: stands in the ledger and in front of the approver. */
  readonly reason: string
  /** For machines. Unless given: the standard code of the decision. */
  readonly reasonCode?: string
}

/**
 * Decides about calls. Should be deterministic and free of side effects: the same context, the same result.
 *
 * @example
 * const refunds: Policy = {
 *   policyId: 'refunds',
 *   version: '3',
 *   // Allow what is known to be small, and nothing else: an amount that is missing or a string must not slip through.
 *   evaluate: ({ kwargs }) =>
 *     typeof kwargs.amount === 'number' && kwargs.amount <= 100
 *       ? { decision: 'allow', reason: 'within limit' }
 *       : { decision: 'require_approval', reason: 'over 100' },
 * }
 */
export interface Policy {
  /** Stable name. A class's name is none: a minifier changes it. */
  readonly policyId: string
  /** What you call this state of the policy; raise it with each change. Without it and `policyHash`: `unversioned`, with a warning. */
  readonly version?: string
  /**
   * 64 lower-case hex digits over whatever defines the policy. Default: a hash of id, version and the source text of
   * `evaluate`, which a compiler or minifier changes too; approvals that are open then no longer count.
   */
  readonly policyHash?: string
  evaluate(context: Context): PolicyResult | Promise<PolicyResult>
}

/** What of a policy stands in the ledger. */
export interface PolicyIdentity {
  readonly policyId: string
  readonly policyVersion: string | null
  readonly policyHash: Hash
}

const DEFAULT_CODES: { readonly [decision in PolicyDecision]: ReasonCode } = {
  allow: 'POLICY_ALLOW_LOW_RISK',
  deny: 'POLICY_DENY_HIGH_RISK',
  require_approval: 'POLICY_REQUIRE_APPROVAL_HIGH_VALUE',
}

/**
 * Reads a policy's identity, once, when it is given to the engine.
 *
 * @throws TypeError when it is not a policy, has no id, or an id, version or hash of the wrong form
 */
export function identifyPolicy(policy: unknown): PolicyIdentity & Pick<Policy, 'evaluate'> {
  if (typeof policy !== 'object' || policy === null)
    throw new TypeError('`policy` must be an object with an `evaluate` method')
  const evaluate = memberOf(policy, 'evaluate')
  const givenId = memberOf(policy, 'policyId')
  const version = memberOf(policy, 'version')
  const givenHash = memberOf(policy, 'policyHash')
  if (typeof evaluate !== 'function') throw new TypeError('`policy.evaluate` must be a function')
  if (givenId === undefined)
    throw new TypeError(
      '`policy.policyId` is needed: a stable name, which the name of a class is not (a minifier changes it)',
    )
  const policyId = requireText('policy.policyId', givenId, NAME_LENGTH_MAX)
  const policyVersion = version === undefined ? null : requireText('policy.version', version, NAME_LENGTH_MAX)
  if (givenHash !== undefined && !isHash(givenHash))
    throw new TypeError('`policy.policyHash` must be 64 lower-case hex digits')
  const policyHash = givenHash ?? hashPolicy(policyId, policyVersion, evaluate)
  if (policyVersion === null && givenHash === undefined) {
    warnUnversioned(policyId)
    return { policyId, policyVersion: UNVERSIONED, policyHash, evaluate: evaluate as Policy['evaluate'] }
  }
  return { policyId, policyVersion, policyHash, evaluate: evaluate as Policy['evaluate'] }
}

/** The version on record of a policy that says neither `version` nor `policyHash`. */
const UNVERSIONED = 'unversioned'

/** So many policies without a version are warned of; a program that makes one for each call has been told by then. */
const WARNINGS_MAX = 20

const warned = new Set<string>()

function warnUnversioned(policyId: string): void {
  if (warned.has(policyId) || warned.size >= WARNINGS_MAX) return
  warned.add(policyId)
  process.emitWarning(
    `policy ${quote(policyId)} has no \`version\` and no \`policyHash\`: the record calls it \`${UNVERSIONED}\`, and its ` +
      'hash is of source text that a compiler or minifier changes',
    { code: 'SUDOAGENT_POLICY_UNVERSIONED' },
  )
}

/** LEDGER-FORMAT §3. Native and bound functions have no source text: then it is the id and the version that count. */
function hashPolicy(policyId: string, policyVersion: string | null, evaluate: unknown): Hash {
  const source = Function.prototype.toString.call(evaluate)
  const sourceHash = source.includes('[native code]')
    ? null
    : sha256Hex(encodeCanonical({ policy_source: source.toWellFormed() }))
  return sha256Hex(
    encodeCanonical({ policy_id: policyId, policy_version: policyVersion, policy_source_hash: sourceHash }),
  )
}

/**
 * Checks what a policy returned. Each field is read once; nothing is coerced.
 *
 * @throws TypeError for anything that is not exactly a PolicyResult
 */
export function parsePolicyResult(value: unknown): Required<PolicyResult> {
  const fields = readFields('policy result', value, ['decision', 'reason', 'reasonCode'])
  const decision = fields.get('decision')
  if (decision !== 'allow' && decision !== 'deny' && decision !== 'require_approval') {
    throw new TypeError('`decision` of a policy result must be `allow`, `deny` or `require_approval`')
  }
  const reason = requireText('reason', fields.get('reason'), REASON_LENGTH_MAX)
  const reasonCode = requireText('reasonCode', fields.get('reasonCode') ?? DEFAULT_CODES[decision], NAME_LENGTH_MAX)
  return Object.freeze({ decision, reason, reasonCode })
}

/** Allows every call. For trials, and where budgets and evidence are all that is wanted. */
export class AllowAllPolicy implements Policy {
  readonly policyId = 'allow-all'
  readonly version = '1'

  evaluate(): PolicyResult {
    return { decision: 'allow', reason: 'every call is allowed' }
  }
}

/** Denies every call. The safe thing to start with. */
export class DenyAllPolicy implements Policy {
  readonly policyId = 'deny-all'
  readonly version = '1'

  evaluate(): PolicyResult {
    return { decision: 'deny', reason: 'every call is denied' }
  }
}
