// Finds rules that no call can reach because, for each of their servers and tools, an earlier rule always decides
// first. The search is incomplete: some unreachable rules are not found.

import { matchesText } from '../pattern/wildcard.js'
import type { ArgumentMatcher, PolicyRule } from '../rule/document.js'

type Name = string | null

/**
 * Finds the earlier rules that make a rule unreachable.
 *
 * @param earlier - the rules before it, in order
 * @returns those of them that always decide first, in order; null when a call may reach the rule or the answer is
 *   unknown
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
 * Whether the arguments of `earlier` match whenever those of `later` do. Servers and tools are compared elsewhere.
 */
function decidesWhenever(earlier: PolicyRule, later: PolicyRule): boolean {
  const theirs = new Set(later.args.map(textOf))
  if (!earlier.args.every((matcher) => theirs.has(textOf(matcher)))) return false
  if (earlier.argsOnly && !(later.argsOnly && earlier.args.length === later.args.length)) return false
  // If an `allow` rule is unclear, the next rule is tried, and a later rule with another effect can still deny the
  // call.
  const alwaysClear = earlier.args.length === 0 && !earlier.argsOnly
  return alwaysClear || earlier.effect !== 'allow' || later.effect === 'allow'
}

const textOf = ({ path, tests }: ArgumentMatcher): string => JSON.stringify([path, tests])

/**
 * Whether every name that `name` matches also matches one of the patterns. Null means any name; for servers, also
 * none.
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
