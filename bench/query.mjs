// Measures queries and exports. The floor only reads the lines.
//
//   node bench/query.mjs [--quick] [--entries N] [--keep DIR] [--json FILE]
import { exportLedger } from '../packages/ledger/dist/export.js'
import { openLedgerReader, select } from '../packages/ledger/dist/index.js'
import { allowedCall } from './call.mjs'
import { scanSqlite } from './floor.mjs'
import { keptLedger } from './ledgers.mjs'
import { readOptions } from './options.mjs'
import { alternate } from './rounds.mjs'
import { report, row } from './table.mjs'

const { size, entries, json, kept } = readOptions()
const rounds = size(3, 1)
const path = await keptLedger(kept, 'sqlite', entries)
const calls = Math.floor(entries / 2)

const scan = () => scanSqlite(path, 'entry_json', () => {})
const searching = await alternate(rounds, {
  floor: scan,
  figure: () => find({ text: `ORD-${calls - 1}` }, 2),
})
// One round is enough, because it runs long enough to include the warm-up.
const exporting = await alternate(1, { floor: scan, figure: exportAll })
let n = 0
const { filter } = await alternate(size(51, 3), {
  filter: () => find({ requestId: allowedCall((n++ * 7919) % calls).decision.request_id }, 2),
})
report(
  'query',
  [
    row({ work: `filter by request id, ${entries} entries`, unit: 'ms', figure: filter, atMost: 20 }),
    row({ work: `search ${entries} entries`, unit: 'ms', ...searching, atMost: 2 }),
    row({ work: `export ${entries} entries as CSV`, unit: 'ms', ...exporting, atMost: 4 }),
  ],
  json,
)

/** Opens the ledger, runs the query and closes the ledger. */
async function find(criteria, expected) {
  const reader = await openLedgerReader(path)
  let found = 0
  for await (const _ of select(reader, criteria)) found += 1
  await reader.close()
  if (found !== expected) throw new Error(`found ${found} entries, not ${expected}`)
}

async function exportAll() {
  const reader = await openLedgerReader(path)
  let chars = 0
  for await (const text of exportLedger(reader, 'csv')) chars += text.length
  await reader.close()
  if (chars < entries) throw new Error('the export is too short')
}
