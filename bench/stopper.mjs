// Opens a ledger, waits for a line, and stops everything: the other process of `stops.mjs`.
import { once } from 'node:events'
import { SqliteLedger } from '../packages/ledger/dist/store/sqlite/ledger.js'

const ledger = SqliteLedger.open(process.argv[2])
console.log('open')
await once(process.stdin, 'data')
await ledger.stop({ all: true }, { reason: 'benchmark', by: 'benchmark' })
console.log('stopped')
await ledger.close()
process.exit()
