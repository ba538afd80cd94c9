// Policies decide which calls may run. A policy receives the redacted, frozen context and returns `allow`, `deny`
// or `require_approval`; any other behaviour (an exception, a timeout, an invalid result) denies the call.
//
// The ledger names a policy by its identity: `policyId`, `version` and `policyHash`. The hash is the policy's own,
// or SHA-256 over the canonical JSON of the id, the version and a hash of the source text of `evaluate`
// (LEDGER-FORMAT §3). The decision hash covers the identity, so that an approval given under one policy is not
// valid under another.
//
//     const policy: Policy = {
//       policyId: 'refunds',
//       version: '3',
//       evaluate: ({ kwargs }) => (kwargs.amount === 0 ? allow('nothing to pay') : ask('a payment')),
//     }
//     identifyPolicy(policy)   // { policyId: 'refunds', policyVersion: '3', policyHash: '…', evaluate }
//
// A policy without `version` and `policyHash` is recorded as `unversioned`, with a warning. `context.ts` builds the
// context; `@sudoagent/policy` has policies from files of rules.

import { type Hash, isHash, sha256Hex } from '@sudoagent/crypto'
import { encodeCanonical } from '@sudoagent/crypto/json'
import { NAME_LENGTH_MAX, REASON_LENGTH_MAX } from '@sudoagent/ledger/entry'
import { memberOf, quote, readFields, requireText } from '../check.js'
import type { Context } from './context.js'
import type { ReasonCode } from './reason-code.js'

export type PolicyDecision = 'allow' | 'deny' | 'require_approval'

export interface PolicyResult {
  readonly decision: PolicyDecision
  /** For people: the ledger records it, and the approver reads it. */
  readonly reason: string
  /** For programs. Default: the standard code of the decision. */
  readonly reasonCode?: string
}

/**
 * Decides about calls. It should be deterministic and have no side effects: the same context gives the same result.
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
  /** A stable name. Do not use a class's name: a minifier changes it. */
  readonly policyId: string
  /**
   * The version of the policy; change it with every change of the policy. Without it and `policyHash`:
   * `unversioned`, with a warning.
   */
  readonly version?: string
  /**
   * 64 lower-case hex digits: a hash of the policy's definition. Default: a hash of id, version and the source text
   * of `evaluate`. A compiler or minifier changes that text, too; open approvals are then no longer valid.
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
 * Reads a policy's identity, once, when it is passed to the engine.
 *
 * @throws TypeError when it is not a policy, has no id, or has an id, version or hash of the wrong form
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
    throw new TypeError('`policy.policyId` is needed: a stable name, not that of a class, which a minifier changes')
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

/** The recorded version of a policy without `version` and `policyHash`. */
const UNVERSIONED = 'unversioned'

/** The maximum number of warnings, because a program may create a policy for each call. */
const WARNINGS_MAX = 20

const warned = new Set<string>()

function warnUnversioned(policyId: string): void {
  if (warned.has(policyId) || warned.size >= WARNINGS_MAX) return
  warned.add(policyId)
  process.emitWarning(
    `policy ${quote(policyId)} has neither \`version\` nor \`policyHash\`: it is recorded as \`${UNVERSIONED}\`, and its ` +
      'hash covers source text that a compiler or minifier changes',
    { code: 'SUDOAGENT_POLICY_UNVERSIONED' },
  )
}

/**
 * LEDGER-FORMAT §3. Native and bound functions have no source text, so their hash covers only the id and the
 * version.
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

/** Allows every call. For trials, and for uses that need only budgets and evidence. */
export class AllowAllPolicy implements Policy {
  readonly policyId = 'allow-all'
  readonly version = '1'

  evaluate(): PolicyResult {
    return { decision: 'allow', reason: 'every call is allowed' }
  }
}

/** Denies every call: a safe starting point. */
export class DenyAllPolicy implements Policy {
  readonly policyId = 'deny-all'
  readonly version = '1'

  evaluate(): PolicyResult {
    return { decision: 'deny', reason: 'every call is denied' }
  }
}
