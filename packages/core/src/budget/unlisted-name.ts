// Warns about limits whose names may be misspelt. A limit under a misspelt name applies to no call, and the
// intended name has no limit. A budget cannot know which names exist; but when a call with an unlisted name arrives
// while a listed name has had no call, one of the two is probably wrong.

import { quote } from '../check.js'
import { type BudgetCharge, type CheckedLimits, limitsByName } from './budget.js'

/** The maximum number of warnings, one for each name: names may come from a model. */
const WARNINGS_MAX = 20

/** The maximum number of listed names in one warning. */
const SHOWN_MAX = 5

interface Seen {
  /** Listed names that no call has used yet. */
  readonly unheard: Set<string>
  readonly warned: Set<string>
}

/** Keyed by the limits, so that a budget which creates its rules again for each group continues to count. */
const seenBy = new WeakMap<CheckedLimits, { readonly agent: Seen | null; readonly tool: Seen | null }>()

/**
 * Warns once per name, with `process.emitWarning`, about a name without a limit for which a listed limit may have
 * been intended.
 */
export function watchNames(limits: CheckedLimits, { agentId, action }: BudgetCharge): void {
  let seen = seenBy.get(limits)
  if (seen === undefined) {
    seen = {
      agent: seenOf(limits.perAgent, limits.perAgentDefault),
      tool: seenOf(limits.perTool, limits.perToolDefault),
    }
    seenBy.set(limits, seen)
  }
  if (seen.agent !== null) watch('agent', seen.agent, limits.perAgent, agentId)
  if (seen.tool !== null) watch('tool', seen.tool, limits.perTool, action)
}

function seenOf(limits: CheckedLimits['perAgent'], otherwise: number | null | undefined): Seen | null {
  const named = limitsByName(limits)
  return named === null || otherwise !== undefined ? null : { unheard: new Set(named.keys()), warned: new Set() }
}

function watch(
  scope: 'agent' | 'tool',
  { unheard, warned }: Seen,
  limits: CheckedLimits['perAgent'],
  name: string,
): void {
  unheard.delete(name)
  if (limitsByName(limits)?.has(name) === true || unheard.size === 0) return
  if (warned.has(name) || warned.size >= WARNINGS_MAX) return
  warned.add(name)
  const option = scope === 'agent' ? 'perAgent' : 'perTool'
  const shown = [...unheard].slice(0, SHOWN_MAX).map(quote).join(', ')
  process.emitWarning(
    `budget: ${scope} ${quote(name)} has no limit, and the listed name ${shown} is unused; is it misspelt? ` +
      `\`${option}Default\` sets the limit of names that are not listed (null: none)`,
    { code: 'SUDOAGENT_BUDGET_NAME' },
  )
}
