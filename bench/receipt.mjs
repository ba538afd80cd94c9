// Measures creating a receipt from a large open ledger, and verifying the receipt in Node. The targets are absolute
// times; the floors are printed for comparison.
//
//   node bench/receipt.mjs [--quick] [--entries N] [--keep DIR] [--json FILE]
import { createPublicKey, verify as nodeVerify } from 'node:crypto'
import { verifyReceipt } from '../packages/crypto/dist/receipt.js'
import { makeReceipt, openLedgerReader } from '../packages/ledger/dist/index.js'
import { allowedCall } from './call.mjs'
import { keptLedger, signer } from './ledgers.mjs'
import { readOptions } from './options.mjs'
import { median } from './rounds.mjs'
import { report, row } from './table.mjs'

const SIGNATURES = 3

const { size, entries, json, kept } = readOptions()
const rounds = size(200, 3)
const calls = Math.floor(entries / 2)
const reader = await openLedgerReader(await keptLedger(kept, 'sqlite', entries, { signed: true }))
const key = createPublicKey(signer.publicKey.pem)
const message = Buffer.alloc(64)
const signature = signer.sign(message)

const times = { make: [], read: [], verify: [], signatures: [] }
async function time(list, work) {
  const start = performance.now()
  const result = await work()
  list.push(performance.now() - start)
  return result
}
for (let round = 0; round < rounds; round += 1) {
  const requestId = allowedCall(Math.floor(((round + 0.5) * calls) / rounds)).decision.request_id
  const { text } = await time(times.make, () => makeReceipt(reader, { requestId }))
  const { ledger_position: position } = JSON.parse(text)
  await time(times.read, async () => [await reader.lineAt(position), await reader.lineAt(position + 1)])
  const { ok } = await time(times.verify, () => verifyReceipt(text, { publicKeys: [signer.publicKey] }))
  if (!ok) throw new Error('a receipt does not verify')
  await time(times.signatures, () => {
    for (let n = 0; n < SIGNATURES; n += 1) nodeVerify(null, message, key, signature)
  })
}
await reader.close()

// The targets are times, not ratios, so each floor has its own row.
report(
  'receipt',
  [
    row({ work: `make a receipt, ${entries} entries`, unit: 'ms', figure: median(times.make), atMost: 50 }),
    row({
      work: '  slower than reading its two entries',
      unit: 'ms',
      floor: median(times.read),
      figure: median(times.make),
    }),
    row({ work: 'verify a receipt', unit: 'ms', figure: median(times.verify), atMost: 5 }),
    row({
      work: '  slower than its three signatures',
      unit: 'ms',
      floor: median(times.signatures),
      figure: median(times.verify),
    }),
  ],
  json,
)
