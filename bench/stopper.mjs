// Opens a ledger, waits for a line, and stops everything: the other process of `obeyed.mjs`.
import { once } from 'node:events'
import { SqliteLedger } from '../packages/ledger/dist/store/sqlite/ledger.js'
import { PostgresLedger } from '../packages/postgres/dist/index.js'

const place = process.argv[2]
const ledger = place.startsWith('postgres:') ? await PostgresLedger.open(place) : SqliteLedger.open(place)
console.log('open')
await once(process.stdin, 'data')
await ledger.stop({ all: true }, { reason: 'benchmark', by: 'benchmark' })
console.log('stopped')
await ledger.close()
process.exit()
