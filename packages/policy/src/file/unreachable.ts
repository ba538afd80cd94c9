// Rules that no call can reach, as far as it can be proven: for each server and tool of the rule, an earlier rule decides whenever it would.

import { matchesText } from '../pattern/wildcard.js'
import type { ArgumentMatcher, PolicyRule } from '../rule/document.js'

type Name = string | null

/**
 * @param earlier - the rules in front of it
 * @returns those that decide in its place, in their order; null when a call may reach it, or when that cannot be told
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

/** Whether, for a server and a tool that both name, the earlier rule decides whenever the later one would: by its arguments alone. */
function decidesWhenever(earlier: PolicyRule, later: PolicyRule): boolean {
  const theirs = new Set(later.args.map(textOf))
  if (!earlier.args.every((matcher) => theirs.has(textOf(matcher)))) return false
  if (earlier.argsOnly && !(later.argsOnly && earlier.args.length === later.args.length)) return false
  // Where its tests are unclear, a rule that allows is skipped, and a later one that does not allow denies.
  const alwaysClear = earlier.args.length === 0 && !earlier.argsOnly
  return alwaysClear || earlier.effect !== 'allow' || later.effect === 'allow'
}

const textOf = ({ path, tests }: ArgumentMatcher): string => JSON.stringify([path, tests])

/** Whether every name that `name` stands for fits one of the patterns. Null is any name; for servers, none as well. */
function covers(patterns: readonly string[] | null, name: Name): boolean {
  if (patterns === null) return true
  return name !== null && patterns.some((pattern) => isWithin(name, pattern))
}

/** @param name - a name, or a pattern itself */
function isWithin(name: string, pattern: string): boolean {
  if (name === pattern || pattern === '*') return true
  if (!/[*?]/.test(name)) return matchesText([...pattern], name)
  // Of two patterns only this is plain: `read_*` holds all that begins with `read_`.
  const beginning = pattern.slice(0, -1)
  return pattern.endsWith('*') && !/[*?]/.test(beginning) && name.startsWith(beginning)
}
