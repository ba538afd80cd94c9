// verify-memory.mjs <ledger>: verifies a file or a postgres:// URL, and prints the largest resident set of this process
// in MiB.
import { openLedgerReader, verify } from '../packages/ledger/dist/index.js'

const [, , place] = process.argv
const open = place.startsWith('postgres://')
  ? (await import('../packages/postgres/dist/index.js')).openPostgresLedger
  : openLedgerReader
const reader = await open(place)
const { ok } = await verify(reader)
await reader.close()
if (!ok) throw new Error('the ledger does not verify')
console.log(process.resourceUsage().maxRSS / 1024)
