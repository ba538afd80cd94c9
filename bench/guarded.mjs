// The call that is measured: a function that does next to nothing behind a policy that always allows, so that what is left is the boundary.
import { AllowAllPolicy, SudoEngine } from '../packages/core/dist/index.js'
import { SqliteLedger } from '../packages/ledger/dist/store/sqlite/ledger.js'

/** `call(n)` makes guarded call number `n` on a ledger of its own connection. */
export function guardedCalls(path, options = {}) {
  const ledger = SqliteLedger.open(path, options)
  const engine = new SudoEngine({ policy: new AllowAllPolicy(), agentId: 'support-bot', ledger })
  const refund = engine.guard(async ({ order }) => `refunded ${order}`, { action: 'payments.refund' })
  return {
    call: (n) => refund({ order: `ord-${n}`, amount: 25, currency: 'EUR', reason: 'damaged on arrival' }),
    close: () => ledger.close(),
  }
}
