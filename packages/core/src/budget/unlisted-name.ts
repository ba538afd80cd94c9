// Warns about limits whose names may be misspelt. A limit under a misspelt name never applies, and the intended name
// does not have a limit. A budget cannot know which names exist. However, if a call arrives with an unlisted name while
// a listed name has never been used, one of the two names is probably wrong.

import { quote } from '../check.js'
import { type BudgetCharge, type CheckedLimits, limitsByName } from './budget.js'

/** The maximum number of warnings, one per name. The number is limited because names may come from a model. */
const WARNINGS_MAX = 20

/** The maximum number of listed names in one warning. */
const SHOWN_MAX = 5

interface Seen {
  /** The listed names that no call has used yet. */
  readonly unheard: Set<string>
  readonly warned: Set<string>
}

/**
 * Keyed by the limits, so that the names persist in a budget that creates its rules again for each group of requests.
 */
const seenBy = new WeakMap<CheckedLimits, { readonly agent: Seen | null; readonly tool: Seen | null }>()

/**
 * Warns with `process.emitWarning`, once per name, about a name without a limit if a listed limit may have been
 * intended for that name.
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
    `budget: ${scope} ${quote(name)} has no limit, and the listed name ${shown} is unused; is one of these names misspelt? ` +
      `\`${option}Default\` sets the limit of names that are not listed (null: none)`,
    { code: 'SUDOAGENT_BUDGET_NAME' },
  )
}
