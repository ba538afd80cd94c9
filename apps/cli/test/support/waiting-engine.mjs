// Runs an engine in a separate process, as an agent does. Its calls wait for approvals in `approvals.sqlite`. Each
// line on stdout is the result of one call: `ran 5` or `ApprovalDenied: …`. Arguments: the approval time limit in
// milliseconds, then the amounts.
import { PollingApprover, SudoEngine } from '@sudoagent/core'
import { SqliteApprovalStore } from '@sudoagent/core/sqlite'
import { SqliteLedger } from '@sudoagent/ledger/sqlite'
import { loadPolicy } from '@sudoagent/policy'

const [ttlMs, ...amounts] = process.argv.slice(2).map(Number)
const ledger = SqliteLedger.open('ledger.sqlite')
const approvalStore = SqliteApprovalStore.open('approvals.sqlite')
const engine = new SudoEngine({
  policy: await loadPolicy('policy.yaml'),
  agentId: 'pay-bot',
  ledger,
  approver: new PollingApprover({ intervalMs: 20 }),
  approvalStore,
  approvalTtlMs: ttlMs,
})
const pay = engine.guard(async function pay({ amount }) {
  console.log(`ran ${amount}`)
})
const call = (amount) =>
  pay({ amount, note: 'a\u001b[31mb', apiKey: 'hunter2' }).catch((error) =>
    console.log(`${amount} ${error.name}: ${error.reason}`),
  )
await Promise.all(amounts.map(call))
await approvalStore.close()
await ledger.close()
