// Without a terminal, a job cannot ask for approvals: such calls are denied at once, with a reason, and never hang.
import { strict as assert } from 'node:assert'
import { ApprovalDenied, InteractiveApprover, SudoEngine } from '@sudoagent/core'
import { MemoryLedger } from '@sudoagent/ledger/memory'

const engine = new SudoEngine({
  policy: {
    policyId: 'ask',
    version: '1',
    evaluate: () => ({ decision: 'require_approval', reason: 'a person must approve this call' }),
  },
  agentId: 'nightly-job',
  ledger: new MemoryLedger(),
  approver: new InteractiveApprover(),
})

let ran = false
const dropTable = engine.guard(
  async (_table: string) => {
    ran = true
  },
  { action: 'drop_table' },
)

if (process.stdin.isTTY) {
  console.log('this example is about jobs without a terminal: run it with `< /dev/null`')
} else {
  const denied = await dropTable('customers').catch((error: unknown) => error)
  assert.ok(denied instanceof ApprovalDenied)
  assert.equal(ran, false)
  console.log(`denied: ${denied.reason}`)
}
