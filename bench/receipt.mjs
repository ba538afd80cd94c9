// What a receipt costs: making one from a large ledger that is open, and verifying it in Node. Figures are ratios to floors taken in the same
// run, beside the times; the time limits are those of the issue.
//
//   node bench/receipt.mjs [--entries 1000000] [--keep ledger.sqlite]
import { createPublicKey, verify as nodeVerify } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createSigner, generatePrivateKey, verifyReceipt } from '../packages/crypto/dist/index.js'
import { makeReceipt, openLedger } from '../packages/ledger/dist/index.js'
import { SqliteLedger } from '../packages/ledger/dist/store/sqlite.js'
import { allowedCall } from './call.mjs'

const ROUNDS = 200
const AT_A_TIME = 512

const { values } = parseArgs({ options: { entries: { type: 'string', default: '1000000' }, keep: { type: 'string' } } })
const calls = Math.floor(Number(values.entries) / 2)
const folder = mkdtempSync(join(tmpdir(), 'sudoagent-bench-'))
const path = values.keep ?? join(folder, 'ledger.sqlite')
if (existsSync(path)) throw new Error(`${path} is there already`)

const signer = createSigner(generatePrivateKey())
const ledger = SqliteLedger.open(path, { signer })
for (let from = 0; from < calls; from += AT_A_TIME) {
  const group = Array.from({ length: Math.min(AT_A_TIME, calls - from) }, (_, i) => allowedCall(from + i))
  await Promise.all(group.flatMap(({ decision, outcome }) => [ledger.append(decision), ledger.append(outcome)]))
}
await ledger.close()

const reader = await openLedger(path)
const wanted = Array.from({ length: ROUNDS }, (_, i) => Math.floor(((i + 0.5) * calls) / ROUNDS))
const receipts = []
const making = []
for (const n of wanted) {
  const start = performance.now()
  const { text } = await makeReceipt(reader, { requestId: allowedCall(n).decision.request_id })
  making.push(performance.now() - start)
  receipts.push(text)
}
// The floor of making: reading the two entries by their place.
const reading = []
for (const text of receipts) {
  const { ledger_position: position } = JSON.parse(text)
  const start = performance.now()
  await reader.lineAt(position)
  await reader.lineAt(position + 1)
  reading.push(performance.now() - start)
}
await reader.close()

const verifying = []
for (const text of receipts) {
  const start = performance.now()
  const { ok } = verifyReceipt(text, { publicKeys: [signer.publicKey] })
  verifying.push(performance.now() - start)
  if (!ok) throw new Error('a receipt does not verify')
}
// The floor of verifying: the signatures of both entries and of the checkpoint.
const key = createPublicKey(signer.publicKey.pem)
const message = Buffer.alloc(64)
const signature = signer.sign(message)
const signatures = receipts.map(() => {
  const start = performance.now()
  for (let i = 0; i < 3; i += 1) nodeVerify(null, message, key, signature)
  return performance.now() - start
})
rmSync(folder, { recursive: true, force: true })

const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)]
const worst = (list) => Math.max(...list)
const row = (what, list, floor, limit) => ({
  what,
  'median ms': median(list).toFixed(2),
  'worst ms': worst(list).toFixed(2),
  'floor ms': median(floor).toFixed(2),
  ratio: (median(list) / median(floor)).toFixed(1),
  'limit ms': limit,
})
console.log(`${2 * calls + 1} entries, ${ROUNDS} receipts`)
console.table([
  row('make a receipt (floor: read the two entries)', making, reading, 50),
  row('verify a receipt (floor: three Ed25519 verifications)', verifying, signatures, 5),
])
