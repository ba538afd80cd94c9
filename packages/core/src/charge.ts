// The budget step: reserve → commit before the decision is written, release when it could not be. A charge counts from the moment it is
// reserved, so a process that dies in between has spent too much, never too little.
import type { BudgetBlock } from '@sudoagent/ledger'
import type { BudgetStore } from './budget.js'
import { within } from './deadline.js'
import type { DecisionRequest } from './decision.js'
import type { ReasonCode } from './reason-code.js'
import { Refusal } from './refusal.js'

/** What the step works with. */
export interface BudgetDesk {
  readonly store: BudgetStore
  readonly clock: () => Date
  /** How long the store may take for one answer, in milliseconds. */
  readonly timeoutMs: number
}

const EXCEEDED: { readonly [scope in 'agent' | 'tool']: readonly [ReasonCode, string] } = {
  agent: ['BUDGET_EXCEEDED_AGENT_RATE', 'the budget of the agent is used up'],
  tool: ['BUDGET_EXCEEDED_TOOL_RATE', 'the budget of the tool is used up'],
}

/**
 * Reserves what a call costs.
 *
 * @param cost - units, an integer from 0 up
 * @returns the ledger's budget block
 * @throws Refusal BUDGET_EXCEEDED_AGENT_RATE, BUDGET_EXCEEDED_TOOL_RATE, or BUDGET_EVALUATION_FAILED
 */
export async function reserveBudget(
  { store, clock, timeoutMs }: BudgetDesk,
  call: DecisionRequest,
  cost: number,
): Promise<BudgetBlock> {
  const { requestId, agentId, action } = call.context
  let block: BudgetBlock | undefined
  try {
    block = budgetBlock(store, call, cost)
    const verdict = await within(timeoutMs, 'budget', () =>
      store.reserve({ requestId, agentId, action, cost }, clock()),
    )
    // Exactly true: a store that answers anything else has not allowed the call.
    if (verdict.allowed === true) return block
    const [code, reason] = EXCEEDED[verdict.scope]
    throw new Refusal({ code, reason, budget: block })
  } catch (error) {
    throw error instanceof Refusal ? error : failed(error, block)
  }
}

/** Makes a reservation final. @throws Refusal BUDGET_EVALUATION_FAILED */
export async function commitBudget(
  { store, clock, timeoutMs }: BudgetDesk,
  call: DecisionRequest,
  block: BudgetBlock,
): Promise<void> {
  try {
    await within(timeoutMs, 'budget', () => store.commit(call.context.requestId, clock()))
  } catch (error) {
    throw failed(error, block)
  }
}

/** Gives back what a call that will not run was charged. @throws what the store threw; the charge then stands until its window has passed */
export async function releaseBudget({ store, clock, timeoutMs }: BudgetDesk, call: DecisionRequest): Promise<void> {
  await within(timeoutMs, 'budget', () => store.release(call.context.requestId, clock()))
}

function budgetBlock(store: BudgetStore, call: DecisionRequest, cost: number): BudgetBlock {
  const { agentId, action } = call.context
  return {
    budget_key: store.key,
    agent_id: agentId,
    action,
    cost,
    window_seconds: store.windowMs / 1000,
    checked: true,
  }
}

function failed(cause: unknown, budget: BudgetBlock | undefined): Refusal {
  return new Refusal({
    code: 'BUDGET_EVALUATION_FAILED',
    reason: 'budget evaluation failed',
    cause,
    ...(budget === undefined ? {} : { budget }),
  })
}
