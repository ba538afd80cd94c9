// verify-memory.mjs <ledger>: verifies, and prints the largest resident set of this process in MiB.
import { openLedger, verify } from '../packages/ledger/dist/index.js'

const reader = await openLedger(process.argv[2])
const { ok } = await verify(reader)
await reader.close()
if (!ok) throw new Error('the ledger does not verify')
console.log(process.resourceUsage().maxRSS / 1024)
