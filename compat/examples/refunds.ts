// Shared by the adapter examples: an engine that allows refunds of up to 100, the model's two calls, and the expected
// results. Each example shows how its framework uses the engine.
import { strict as assert } from 'node:assert'
import { type Policy, SudoEngine } from '@sudoagent/core'
import { verify } from '@sudoagent/ledger'
import { MemoryLedger } from '@sudoagent/ledger/memory'
import { z } from 'zod'

const policy: Policy = {
  policyId: 'refunds',
  version: '1',
  evaluate: ({ action, kwargs: { amount } }) =>
    action === 'refund' && typeof amount === 'number' && amount <= 100
      ? { decision: 'allow', reason: 'within the limit of 100' }
      : { decision: 'deny', reason: 'above the limit of 100' },
}

const ledger = new MemoryLedger()
export const engine = new SudoEngine({ policy, agentId: 'support-bot', ledger })

export interface Refund {
  readonly amount: number
}
export const refundSchema = z.object({ amount: z.number() })

/** The calls, both of which the model requests at once. */
export const CALLS: readonly Refund[] = [{ amount: 30 }, { amount: 900 }]
export const DENIAL =
  'This call was denied by policy, so it did not run (POLICY_DENY_HIGH_RISK). Reason: above the limit of 100. Do not repeat this call unchanged.'

const refunded: number[] = []
/** The tool. Only this function has the payment system's credentials. */
export async function payBack({ amount }: Refund): Promise<string> {
  refunded.push(amount)
  return `refunded ${amount}`
}

/**
 * Asserts that one call ran and the other was denied, that the model saw both results, and that the ledger contains
 * both.
 */
export async function check(shown: readonly unknown[]): Promise<void> {
  const [allowed, denied] = shown.map((part) => JSON.stringify(part))
  assert.match(allowed ?? '', /refunded 30/)
  assert.ok(denied?.includes(DENIAL), denied)
  assert.deepEqual(refunded, [30])
  const report = await verify(ledger.reader())
  assert.deepEqual([report.ok, report.decisions, report.outcomes], [true, 2, 1])
  console.log(`the model was shown: ${denied}`)
  console.log(`ledger: ${report.verdict}, ${report.decisions} decisions, ${report.outcomes} outcome`)
}
