// Defines the content of a policy file as plain, frozen data, and computes its hash.

import type { PolicyDecision } from '@sudoagent/core'
import { type Hash, sha256Hex } from '@sudoagent/crypto'
import { encodeCanonical } from '@sudoagent/crypto/json'

/** The format version: the value of the key `sudoagent_policy`. */
export const POLICY_FORMAT = 1

export type ScalarValue = string | number | boolean | null

/** A test of one argument. A rule matches only if all its tests are true. */
export type ArgumentTest =
  | { readonly kind: 'equals'; readonly values: readonly ScalarValue[] }
  | { readonly kind: 'prefix'; readonly prefixes: readonly string[] }
  | {
      readonly kind: 'glob'
      readonly globs: readonly string[]
      /**
       * The absolute, normalised base of globs and relative paths. If null, globs are absolute, and a relative path is
       * unclear.
       */
      readonly root: string | null
      readonly resolveSymlinks: boolean
    }
  | { readonly kind: 'range'; readonly gt?: number; readonly gte?: number; readonly lt?: number; readonly lte?: number }
  | {
      readonly kind: 'url'
      /** Scheme, host and port as `urlOrigin` returns them. */
      readonly origins: readonly string[]
      /** Absolute globs for the path; null: any path. */
      readonly paths: readonly string[] | null
    }
  | { readonly kind: 'present' }
  | { readonly kind: 'absent' }

export interface ArgumentMatcher {
  /** The path as written in the file: `amount`, `customer.id`, `edits.*.path`. */
  readonly path: string
  readonly segments: readonly string[]
  readonly tests: readonly ArgumentTest[]
}

export interface PolicyRule {
  readonly id: string
  /** Names or patterns, one of which must match. Null matches any server, and calls without a server. */
  readonly servers: readonly string[] | null
  /** Null matches any tool. */
  readonly tools: readonly string[] | null
  readonly args: readonly ArgumentMatcher[]
  /** Whether the call must not have arguments other than those in `args`. */
  readonly argsOnly: boolean
  readonly effect: PolicyDecision
  readonly reason: string
  /** The time until the deadline of the approval, in milliseconds; null if the rule does not set it. */
  readonly withinMs: number | null
  /** The line on which the rule begins; not part of the hash. */
  readonly line: number
}

export interface PolicyDocument {
  readonly id: string
  readonly version: string | null
  readonly description: string | null
  readonly rules: readonly PolicyRule[]
}

/**
 * SHA-256 over the canonical JSON of the policy. Comments, key order, quotation marks and the choice of YAML or JSON do
 * not change the hash. The order of the rules and every value that can change a decision or its reason do.
 */
export function hashDocument({ id, version, description, rules }: PolicyDocument): Hash {
  return sha256Hex(
    encodeCanonical({
      sudoagent_policy: POLICY_FORMAT,
      id,
      version,
      description,
      rules: rules.map(({ line: _line, args, argsOnly, withinMs, ...rule }) => ({
        ...rule,
        // Omitted if not set, so that the hashes of older policy files do not change.
        ...(argsOnly ? { args_only: true } : {}),
        ...(withinMs === null ? {} : { approval: { within_ms: withinMs } }),
        args: args.map(({ path, tests }) => ({ path, tests })),
      })),
    }),
  )
}
