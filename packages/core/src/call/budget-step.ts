// The budget step: reserves a charge before the approval, commits it before the decision is written, and releases it
// after a denial is recorded. A charge counts from its reservation, so if a process dies between two of these steps,
// the budget may show too much spent, but never too little.
import type { BudgetBlock } from '@sudoagent/ledger/entry'
import type { BudgetStore, BudgetVerdict } from '../budget/budget.js'
import { memberOf } from '../check.js'
import type { ReasonCode } from '../policy/reason-code.js'
import { within } from './deadline.js'
import type { DecisionRequest } from './decision.js'
import { Refusal } from './refusal.js'

/** The latest time that a `Date` can represent (ECMA-262 §21.4.1.1). */
const INSTANT_MS_MAX = 8_640_000_000_000_000

/** The dependencies of this step. */
export interface BudgetDeps {
  readonly store: BudgetStore
  readonly clock: () => Date
  /** The time limit for one call to the store, in milliseconds. */
  readonly timeoutMs: number
}

const EXCEEDED: ReadonlyMap<unknown, readonly [ReasonCode, string]> = new Map([
  ['agent', ['BUDGET_EXCEEDED_AGENT_RATE', "the agent's budget"]],
  ['tool', ['BUDGET_EXCEEDED_TOOL_RATE', "the tool's budget"]],
])

/**
 * Reserves the cost of a call. After an approval, the boundary calls this function again with the same charge, to renew
 * a reservation that has expired.
 *
 * @param cost - budget units, a non-negative integer
 * @param holdMs - the time that the approval may take before the charge is committed, in milliseconds
 * @returns the ledger's budget block
 * @throws Refusal BUDGET_EXCEEDED_AGENT_RATE, BUDGET_EXCEEDED_TOOL_RATE, or BUDGET_EVALUATION_FAILED
 */
export async function reserveBudget(
  { store, clock, timeoutMs }: BudgetDeps,
  call: DecisionRequest,
  cost: number,
  holdMs = 0,
): Promise<BudgetBlock> {
  const { requestId, agentId, action } = call.context
  let block: BudgetBlock | undefined
  try {
    block = budgetBlock(store, call, cost)
    const verdict = await within(timeoutMs, 'budget', () =>
      store.reserve({ requestId, agentId, action, cost }, clock(), holdMs),
    )
    // Checks for exactly `true`: a store that returns any other value has not allowed the call.
    if (memberOf(verdict, 'allowed') === true) return block
    const exceeded = EXCEEDED.get(memberOf(verdict, 'scope'))
    if (memberOf(verdict, 'allowed') !== false || exceeded === undefined)
      throw new TypeError('the budget store did not return a valid verdict')
    throw new Refusal({ code: exceeded[0], reason: describe(exceeded[1], cost, verdict), budget: block })
  } catch (error) {
    throw error instanceof Refusal ? error : failed(error, block)
  }
}

/** Makes a reservation final. @throws Refusal BUDGET_EVALUATION_FAILED */
export async function commitBudget(
  { store, clock, timeoutMs }: BudgetDeps,
  call: DecisionRequest,
  block: BudgetBlock,
): Promise<void> {
  try {
    await within(timeoutMs, 'budget', () => store.commit(call.context.requestId, clock()))
  } catch (error) {
    throw failed(error, block)
  }
}

/**
 * Releases the charge of a call that will not run.
 *
 * @throws the store's error. The charge then counts until it leaves the window
 */
export async function releaseBudget({ store, clock, timeoutMs }: BudgetDeps, call: DecisionRequest): Promise<void> {
  await within(timeoutMs, 'budget', () => store.release(call.context.requestId, clock()))
}

/**
 * Describes the verdict with numbers, so that a model or a person can see whether a cheaper call fits the budget and
 * when to retry.
 */
function describe(whose: string, cost: number, verdict: BudgetVerdict): string {
  const [limit, used, moreAtMs] = ['limit', 'used', 'moreAtMs'].map((name) => memberOf(verdict, name))
  if (!Number.isSafeInteger(limit) || !Number.isSafeInteger(used)) return `${whose} is used up`
  const all = limit as number
  if (cost > all) return `${whose} is ${all} in total, and the call costs ${cost}`
  const more =
    Number.isSafeInteger(moreAtMs) && Math.abs(moreAtMs as number) <= INSTANT_MS_MAX
      ? `; more is available from ${new Date(moreAtMs as number).toISOString()}`
      : ''
  return `${whose} has ${Math.max(0, all - (used as number))} of ${all} left, and the call costs ${cost}${more}`
}

function budgetBlock(store: BudgetStore, call: DecisionRequest, cost: number): BudgetBlock {
  const { agentId, action } = call.context
  return {
    budget_key: (memberOf(store, 'key') ?? null) as string | null,
    agent_id: agentId,
    action,
    cost,
    window_seconds: Number(memberOf(store, 'windowMs')) / 1000,
    checked: true,
  }
}

function failed(cause: unknown, budget: BudgetBlock | undefined): Refusal {
  return new Refusal({
    code: 'BUDGET_EVALUATION_FAILED',
    reason: 'the budget could not be checked',
    cause,
    ...(budget === undefined ? {} : { budget }),
  })
}
