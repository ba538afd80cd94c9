// Defines policies, which decide which calls may run. A policy receives the redacted, frozen context and returns
// `allow`, `deny` or `require_approval`; any other behaviour (an exception, a timeout, an invalid result) denies the
// call.
//
// The ledger identifies a policy by `policyId`, `version` and `policyHash`. If the policy does not set `policyHash`,
// the hash is SHA-256 over the canonical JSON of the id, the version and a hash of the source text of `evaluate`
// (LEDGER-FORMAT §3). The decision hash covers this identity, so an approval given under one policy is not valid
// under a different policy.
//
//     const policy: Policy = {
//       policyId: 'refunds',
//       version: '3',
//       evaluate: ({ kwargs }) => (kwargs.amount === 0 ? allow('nothing to pay') : ask('a payment')),
//     }
//     identifyPolicy(policy)   // { policyId: 'refunds', policyVersion: '3', policyHash: '…', evaluate }
//
// A policy without `version` and `policyHash` is recorded as `unversioned`, with a warning. `context.ts` builds the
// context. `@sudoagent/policy` loads policies from rule files.

import { type Hash, isHash, sha256Hex } from '@sudoagent/crypto'
import { QUESTION_TTL_MS_MAX } from '@sudoagent/crypto/entry'
import { encodeCanonical } from '@sudoagent/crypto/json'
import { NAME_LENGTH_MAX, REASON_LENGTH_MAX } from '@sudoagent/ledger/entry'
import { memberOf, quote, readFields, requireInteger, requireText } from '../check.js'
import type { Context } from './context.js'
import type { ReasonCode } from './reason-code.js'

export type PolicyDecision = 'allow' | 'deny' | 'require_approval'

export interface PolicyResult {
  readonly decision: PolicyDecision
  /** The reason for people: the ledger records it, and approvers read it. */
  readonly reason: string
  /** The reason code for programs. Default: the standard code for the decision. */
  readonly reasonCode?: string
  /** The id of the rule that decided, 1 to 256 characters. A question is recorded with it. Default: none. */
  readonly ruleId?: string
  /**
   * Ignored unless `decision` is `require_approval`. `within` is the time until the deadline of the approval, an
   * integer from 1 to 604,800,000 milliseconds (7 days). It takes precedence over the `approvalTtlMs` of the call and
   * of the engine. More than an hour requires a ledger that records questions; otherwise the call is denied.
   */
  readonly approval?: { readonly within: number }
}

/** A validated policy result. */
export interface CheckedPolicyResult extends Omit<Required<PolicyResult>, 'ruleId' | 'approval'> {
  /** Null if the policy does not name a rule. */
  readonly ruleId: string | null
  /** Null if the policy does not set a time for the approval, or does not require one. */
  readonly withinMs: number | null
}

/**
 * Decides about calls. A policy should be deterministic and must not have side effects: the same context gives the same
 * result.
 *
 * @example
 * const refunds: Policy = {
 *   policyId: 'refunds',
 *   version: '3',
 *   // Allow only known small amounts: a missing amount or a string must not be allowed.
 *   evaluate: ({ kwargs }) =>
 *     typeof kwargs.amount === 'number' && kwargs.amount <= 100
 *       ? { decision: 'allow', reason: 'within limit' }
 *       : { decision: 'require_approval', reason: 'over 100' },
 * }
 */
export interface Policy {
  /** A stable name. Do not use the name of a class, because minifiers change class names. */
  readonly policyId: string
  /**
   * The policy version. Change the version whenever the policy changes. If both `version` and `policyHash` are
   * missing, the version is recorded as `unversioned`, with a warning.
   */
  readonly version?: string
  /**
   * A hash of the policy's definition: 64 lower-case hex digits. Default: a hash of the id, the version and the source
   * text of `evaluate`. Compilers and minifiers also change the source text; open approvals are then no longer valid.
   */
  readonly policyHash?: string
  evaluate(context: Context): PolicyResult | Promise<PolicyResult>
}

/** A policy's identity as the ledger records it. */
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
 * Reads a policy's identity once, when the policy is passed to the engine.
 *
 * @throws TypeError if the value is not a policy, or its id, version or hash is missing or invalid
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
    throw new TypeError('`policy.policyId` is required: a stable name, not a class name, which minifiers change')
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

/** The recorded version of a policy that has neither `version` nor `policyHash`. */
const UNVERSIONED = 'unversioned'

/** The maximum number of warnings. The number is limited because a program may create a policy for each call. */
const WARNINGS_MAX = 20

const warned = new Set<string>()

function warnUnversioned(policyId: string): void {
  if (warned.has(policyId) || warned.size >= WARNINGS_MAX) return
  warned.add(policyId)
  process.emitWarning(
    `policy ${quote(policyId)} has neither \`version\` nor \`policyHash\`: its version is recorded as \`${UNVERSIONED}\`, and its ` +
      'hash covers source text that a compiler or minifier changes',
    { code: 'SUDOAGENT_POLICY_UNVERSIONED' },
  )
}

/**
 * Computes the default hash (LEDGER-FORMAT §3). Native and bound functions do not have source text, so the hash covers
 * only the id and the version.
 */
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
 * Validates a policy's result. Each field is read once, and values are not converted.
 *
 * @throws TypeError for any value that is not a valid PolicyResult
 */
export function parsePolicyResult(value: unknown): CheckedPolicyResult {
  const fields = readFields('policy result', value, ['decision', 'reason', 'reasonCode', 'ruleId', 'approval'])
  const decision = fields.get('decision')
  if (decision !== 'allow' && decision !== 'deny' && decision !== 'require_approval') {
    throw new TypeError('`decision` of a policy result must be `allow`, `deny` or `require_approval`')
  }
  const reason = requireText('reason', fields.get('reason'), REASON_LENGTH_MAX)
  const reasonCode = requireText('reasonCode', fields.get('reasonCode') ?? DEFAULT_CODES[decision], NAME_LENGTH_MAX)
  const rule = fields.get('ruleId')
  const ruleId = rule === undefined ? null : requireText('ruleId', rule, NAME_LENGTH_MAX)
  const withinMs = parseWithin(fields.get('approval'))
  return Object.freeze({
    decision,
    reason,
    reasonCode,
    ruleId,
    withinMs: decision === 'require_approval' ? withinMs : null,
  })
}

function parseWithin(approval: unknown): number | null {
  if (approval === undefined) return null
  const within = readFields('`approval` of a policy result', approval, ['within']).get('within')
  return requireInteger('approval.within', within, 1, QUESTION_TTL_MS_MAX)
}

/** Allows every call. Use it for trials, or if you need only budgets and evidence. */
export class AllowAllPolicy implements Policy {
  readonly policyId = 'allow-all'
  readonly version = '1'

  evaluate(): PolicyResult {
    return { decision: 'allow', reason: 'every call is allowed' }
  }
}

/** Denies every call. It is a safe starting point. */
export class DenyAllPolicy implements Policy {
  readonly policyId = 'deny-all'
  readonly version = '1'

  evaluate(): PolicyResult {
    return { decision: 'deny', reason: 'every call is denied' }
  }
}
