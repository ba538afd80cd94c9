// The measured call: a trivial function under a policy that always allows, so that only the cost of the boundary
// remains.
import { AllowAllPolicy, SudoEngine } from '../packages/core/dist/index.js'
import { SqliteLedger } from '../packages/ledger/dist/store/sqlite/ledger.js'

/** `call(n)` makes guarded call number `n` on a ledger with its own connection. */
export function guardedCalls(path, options = {}) {
  const ledger = SqliteLedger.open(path, options)
  const engine = new SudoEngine({ policy: new AllowAllPolicy(), agentId: 'support-bot', ledger })
  const refund = engine.guard(async ({ order }) => `refunded ${order}`, { action: 'payments.refund' })
  return {
    call: (n) => refund({ order: `ord-${n}`, amount: 25, currency: 'EUR', reason: 'damaged on arrival' }),
    close: () => ledger.close(),
  }
}
