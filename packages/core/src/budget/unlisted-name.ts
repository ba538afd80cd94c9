// A limit under a misspelt name holds for no call, and the call that was meant has none. A budget cannot know which names exist; but when a
// call comes whose name has no limit while a listed name has had no call, one of the two is likely to be wrong.

import { quote } from '../check.js'
import { type BudgetCharge, type CheckedLimits, limitsByName } from './budget.js'

/** One warning a name, and so many in all: names may come from a model. */
const WARNINGS_MAX = 20

/** More unheard names than this say no more. */
const SHOWN_MAX = 5

interface Seen {
  /** Listed names that no call has had yet. */
  readonly unheard: Set<string>
  readonly warned: Set<string>
}

/** By the limits that they are about, so that a budget which makes its rules anew for each group keeps count. */
const seenBy = new WeakMap<CheckedLimits, { readonly agent: Seen | null; readonly tool: Seen | null }>()

/** Warns once, with `process.emitWarning`, of each name that has no limit although one may have been meant for it. */
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
    `budget: ${scope} ${quote(name)} has no limit, and no call has had the listed name ${shown}; is it misspelt? ` +
      `\`${option}Default\` sets the limit of names that are not listed (null: none)`,
    { code: 'SUDOAGENT_BUDGET_NAME' },
  )
}
