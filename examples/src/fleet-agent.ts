// An agent of the example `stopped-fleet`: one call for each line on standard input.
import { createInterface } from 'node:readline'
import { CallDenied, SudoEngine } from '@sudoagent/core'

const [agentId = 'agent'] = process.argv.slice(2)
const sudo = await SudoEngine.open({
  agentId,
  policy: { policyId: 'invoices', version: '1', evaluate: () => ({ decision: 'allow', reason: 'routine' }) },
  ledger: 'fleet.sqlite',
  privateKey: 'fleet.key.pem',
})
// Invoice 2 is still being delivered when the agent is stopped.
let deliver = (): void => {}
const delivered = new Promise<void>((resolve) => {
  deliver = resolve
})
const sendInvoice = sudo.guard('invoice.send', async (number: number) => {
  if (number === 2) await delivered
  return `invoice ${number} sent`
})

for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'deliver') {
    deliver()
    continue
  }
  const number = Number(line)
  void sendInvoice(number)
    .catch((error: unknown) => (error instanceof CallDenied ? error.code : Promise.reject(error)))
    .then((result) => console.log(`${number} ${result}`))
}
