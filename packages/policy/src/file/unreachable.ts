// Finds unreachable rules. A rule is unreachable if, for each server and tool that the rule matches, an earlier rule
// always decides first. The search is incomplete, so some unreachable rules are not found.

import { matchesText } from '@sudoagent/crypto/text'
import type { ArgumentMatcher, PolicyRule } from '../rule/document.js'

type Name = string | null

/**
 * Finds the earlier rules that make a rule unreachable.
 *
 * @param earlier - the rules before `rule`, in order
 * @returns the earlier rules that always decide before `rule`, in order; null if a call may reach `rule` or the answer
 * is unknown
 */
export function rulesInFrontOf(rule: PolicyRule, earlier: readonly PolicyRule[]): readonly PolicyRule[] | null {
  const candidates = earlier.filter((one) => decidesWhenever(one, rule))
  const found = new Set<PolicyRule>()
  for (const server of rule.servers ?? [null]) {
    for (const tool of rule.tools ?? [null]) {
      const one = candidates.find(
        ({ servers, tools }) => covers(servers, server) && (covers(tools, tool) || tools?.includes('*')),
      )
      if (one === undefined) return null
      found.add(one)
    }
  }
  return earlier.filter((one) => found.has(one))
}

/**
 * Whether the argument tests of `earlier` match whenever the argument tests of `later` match. Servers and tools are
 * compared elsewhere.
 */
function decidesWhenever(earlier: PolicyRule, later: PolicyRule): boolean {
  const theirs = new Set(later.args.map(textOf))
  if (!earlier.args.every((matcher) => theirs.has(textOf(matcher)))) return false
  if (earlier.argsOnly && !(later.argsOnly && earlier.args.length === later.args.length)) return false
  // If an `allow` rule is unclear, evaluation continues with the next rule, and a later rule with a different effect
  // can still deny the call.
  const alwaysClear = earlier.args.length === 0 && !earlier.argsOnly
  return alwaysClear || earlier.effect !== 'allow' || later.effect === 'allow'
}

const textOf = ({ path, tests }: ArgumentMatcher): string => JSON.stringify([path, tests])

/**
 * Whether every name that `name` matches also matches one of the patterns. Null means any name; for servers, null also
 * covers calls without a server.
 */
function covers(patterns: readonly string[] | null, name: Name): boolean {
  if (patterns === null) return true
  return name !== null && patterns.some((pattern) => isWithin(name, pattern))
}

/** @param name - a name or a pattern */
function isWithin(name: string, pattern: string): boolean {
  if (name === pattern || pattern === '*') return true
  if (!/[*?]/.test(name)) return matchesText([...pattern], name)
  // Two patterns are compared only in one simple case: `read_*` covers every pattern that begins with `read_`.
  const beginning = pattern.slice(0, -1)
  return pattern.endsWith('*') && !/[*?]/.test(beginning) && name.startsWith(beginning)
}
