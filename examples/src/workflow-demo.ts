// Approval and budget on one signed ledger: payouts above 500 need an approval, and the agent has 3 units per hour.
import { strict as assert } from 'node:assert'
import { ApprovalDenied, ImmediateApprover, type Policy, SudoEngine } from '@sudoagent/core'
import { SqliteApprovalStore, SqliteBudget } from '@sudoagent/core/sqlite'
import { createSigner, generatePrivateKey } from '@sudoagent/crypto'
import { verifyReceipt } from '@sudoagent/crypto/receipt'
import { callStory, makeReceipt, openLedgerReader, verify } from '@sudoagent/ledger'
import { SqliteLedger } from '@sudoagent/ledger/sqlite'

const policy: Policy = {
  policyId: 'payouts',
  version: '1',
  evaluate: ({ kwargs }) =>
    typeof kwargs.amount === 'number' && kwargs.amount <= 500
      ? { decision: 'allow', reason: 'a small payout' }
      : { decision: 'require_approval', reason: 'payouts above 500 need an approval' },
}
const key = generatePrivateKey()
const ledger = SqliteLedger.open('workflow.sqlite', { signer: createSigner(key) })
const approvalStore = SqliteApprovalStore.open('approvals.sqlite')
const budget = SqliteBudget.open('budget.sqlite', { windowMs: 3_600_000, perAgent: 3 })
const engine = new SudoEngine({
  policy,
  agentId: 'payout-bot',
  ledger,
  approver: new ImmediateApprover(true, { approverId: 'treasurer' }),
  approvalStore,
  budget,
})

const paid: number[] = []
const pay = engine.guard(
  async ({ amount }: { to: string; amount: number }) => {
    paid.push(amount)
  },
  { action: 'pay' },
)

const endings: string[] = []
for (const amount of [100, 900, 200, 300]) {
  const ending = await pay({ to: 'DE89 3704', amount }).then(
    () => 'paid',
    (error: unknown) => (error instanceof ApprovalDenied ? error.code : Promise.reject(error)),
  )
  endings.push(`${amount}: ${ending}`)
}
assert.deepEqual(endings, ['100: paid', '900: paid', '200: paid', '300: BUDGET_EXCEEDED_AGENT_RATE'])
assert.deepEqual(paid, [100, 900, 200])
await Promise.all([ledger.close(), approvalStore.close(), budget.close()])

const reader = await openLedgerReader('workflow.sqlite')
const report = await verify(reader, { publicKeys: [key.publicKey] })
assert.equal(report.verdict, 'signed')
const story = await callStory(reader, { position: 5 })
const receipt = await makeReceipt(reader, { requestId: story.requestId })
await reader.close()
// An outsider verifies the receipt with only the public key.
const proof = verifyReceipt(receipt.text, { publicKeys: [key.publicKey] })
assert.equal(proof.ok, true)
console.log(endings.join('\n'))
console.log(
  `ledger: ${report.verdict}, ${report.entries} entries; receipt for entry ${receipt.position}: ${proof.verdict} in a tree of ${proof.checkpoint?.size}`,
)
