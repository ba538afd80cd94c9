// What a policy file says, once it has been read: plain, frozen data, and the hash over it.

import type { PolicyDecision } from '@sudoagent/core'
import { encodeCanonical, type Hash, sha256Hex } from '@sudoagent/crypto'

/** The format's version: the value of the key `sudoagent_policy`. */
export const POLICY_FORMAT = 1

export type ScalarValue = string | number | boolean | null

/** One test of one value. All tests of a rule must hold. */
export type ArgumentTest =
  | { readonly kind: 'equals'; readonly values: readonly ScalarValue[] }
  | { readonly kind: 'prefix'; readonly prefixes: readonly string[] }
  | {
      readonly kind: 'glob'
      readonly globs: readonly string[]
      /** Absolute and normalised; globs and relative paths start here. Null: globs are absolute, relative paths are unclear. */
      readonly root: string | null
      readonly resolveSymlinks: boolean
    }
  | { readonly kind: 'range'; readonly gt?: number; readonly gte?: number; readonly lt?: number; readonly lte?: number }
  | {
      readonly kind: 'url'
      /** Scheme, host and port in the form of `urlOrigin`. */
      readonly origins: readonly string[]
      /** Absolute globs over the path; null: any path. */
      readonly paths: readonly string[] | null
    }
  | { readonly kind: 'present' }
  | { readonly kind: 'absent' }

export interface ArgumentMatcher {
  /** As written: `amount`, `customer.id`, `edits.*.path`. */
  readonly path: string
  readonly segments: readonly string[]
  readonly tests: readonly ArgumentTest[]
}

export interface PolicyRule {
  readonly id: string
  /** Names or patterns, one of which must fit; null: any server, and none. */
  readonly servers: readonly string[] | null
  /** Null: any tool. */
  readonly tools: readonly string[] | null
  readonly args: readonly ArgumentMatcher[]
  /** The call has no arguments but those of `args`. */
  readonly argsOnly: boolean
  readonly effect: PolicyDecision
  readonly reason: string
  /** Line of the file where the rule begins; not part of the hash. */
  readonly line: number
}

export interface PolicyDocument {
  readonly id: string
  readonly version: string | null
  readonly description: string | null
  readonly rules: readonly PolicyRule[]
}

/**
 * SHA-256 over the canonical JSON of what the file says. Comments, order of keys, quoting and YAML or JSON make no
 * difference; the order of rules, and everything that can change an answer or its reason, does.
 */
export function hashDocument({ id, version, description, rules }: PolicyDocument): Hash {
  return sha256Hex(
    encodeCanonical({
      sudoagent_policy: POLICY_FORMAT,
      id,
      version,
      description,
      rules: rules.map(({ line: _line, args, argsOnly, ...rule }) => ({
        ...rule,
        // Not there where it is not said: the hash of older files stays.
        ...(argsOnly ? { args_only: true } : {}),
        args: args.map(({ path, tests }) => ({ path, tests })),
      })),
    }),
  )
}
