// Small refunds run, and large refunds need an approval. Without a terminal, the large refund is denied. Both refunds
// are recorded.
import { strict as assert } from 'node:assert'
import { ApprovalDenied, type Policy, SudoEngine } from '@sudoagent/core'
import { openLedgerReader, verify } from '@sudoagent/ledger'
import { SqliteLedger } from '@sudoagent/ledger/sqlite'

const policy: Policy = {
  policyId: 'refunds',
  version: '1',
  evaluate: ({ kwargs }) =>
    typeof kwargs.amount === 'number' && kwargs.amount <= 100
      ? { decision: 'allow', reason: 'within the limit of 100' }
      : { decision: 'require_approval', reason: 'above the limit of 100' },
}

const ledger = SqliteLedger.open('ledger.sqlite')
const engine = new SudoEngine({ policy, agentId: 'support-bot', ledger })

const refunded: number[] = []
const refund = engine.guard(
  async ({ amount }: { order: string; amount: number }) => {
    refunded.push(amount)
    return `refunded ${amount}`
  },
  { action: 'refund' },
)

console.log(await refund({ order: 'A-1', amount: 30 }))
const denied = await refund({ order: 'A-2', amount: 900 }).catch((error: unknown) => error)
assert.ok(denied instanceof ApprovalDenied)
console.log(`denied: ${denied.reason}`)
assert.deepEqual(refunded, [30])

await ledger.close()
const reader = await openLedgerReader('ledger.sqlite')
const report = await verify(reader)
await reader.close()
assert.equal(report.ok, true)
assert.equal(report.decisions, 2)
console.log(`ledger: ${report.verdict}, ${report.decisions} decisions, ${report.outcomes} outcome`)
