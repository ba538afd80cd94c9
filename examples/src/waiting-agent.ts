// An agent in a process of its own: asks whether it may pay, or resumes the call of an earlier process.
//
//     waiting-agent.js              prints `pending <id>`, then waits until it is killed
//     waiting-agent.js resume <id>  prints `paid 40 to Ada`, or the denial
import { PollingApprover, SudoEngine } from '@sudoagent/core'
import { SqliteApprovalStore } from '@sudoagent/core/sqlite'

const [, , command, id = ''] = process.argv
const approvals = SqliteApprovalStore.open('approvals.sqlite')
const sudo = await SudoEngine.open({
  agentId: 'pay-bot',
  policy: { policyId: 'pay', version: '1', evaluate: () => ({ decision: 'require_approval', reason: 'a payment' }) },
  approver: new PollingApprover(),
  approvalStore: approvals,
  ledger: 'waiting.sqlite',
  privateKey: 'waiting.key.pem',
})
const call = { action: 'pay', args: [{ amount: 40, to: 'Ada' }] }

if (command === 'resume') {
  const answer = await sudo.resume(id, call)
  if (answer.status === 'allowed') {
    console.log('paid 40 to Ada')
    await sudo.record(answer, { status: 'success' })
  } else console.log(`${answer.code}: ${answer.reason}`)
  await sudo.close()
  await approvals.close()
} else {
  const asked = await sudo.authorize(call, { wait: false })
  console.log(`${asked.status} ${asked.requestId}`)
  setInterval(() => {}, 60_000)
}
