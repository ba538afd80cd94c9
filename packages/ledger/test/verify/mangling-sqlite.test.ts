// Flips every byte of a small signed SQLite ledger. A database contains bytes that are not evidence: counters, names,
// unused space. Each flip must either be found, or leave all rows readable and unchanged, byte for byte. Flips in a
// ledger row must be found.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, it } from 'vitest'
import { byTier, isLong, TIER } from '../../../../test/tier.js'
import { openLedgerReader } from '../../src/store/open.js'
import { SqliteLedger } from '../../src/store/sqlite/ledger.js'
import { headIn } from '../fixtures/attack.js'
import { decisionDraft, outcomeDraft, testSigner, tickingClock } from '../fixtures/draft.js'
import { PYTHON_TABLE, verifyFile } from '../fixtures/ledger-file.js'
import { flips, masksAt, Tally } from '../fixtures/spoiled/mangle.js'
import { temporaryFolder } from '../fixtures/temporary.js'
import { mapSqliteFile } from '../fixtures/vectors/sqlite-map.js'

// Parts of the file in which a changed byte may go undetected, because the bytes are not evidence. The comments give
// the content of each part.
const NO_EVIDENCE = [
  ' header', // counters, versions and sizes for SQLite's own use (https://sqlite.org/fileformat2.html, section 1.3)
  'ledger free', // space between cells, and after the end of a row on its last overflow page
  'ledger alias', // the id in the cell: SQLite uses the row id instead
  'sqlite_schema cell', // the CREATE TABLE statement: its letters may be upper or lower case
  'sqlite_schema frame', // the id of that row
  'sqlite_schema free',
  'sqlite_sequence cell', // the highest assigned id: a higher one is detected, a lower one has no effect
  'sqlite_sequence frame',
  'sqlite_sequence free',
  // In the head row, only the checkpoint is evidence, which the test checks below. Writers use the rest of the row, the
  // tiles and the call index, but compare this data with the checkpoint and the rows. Proofs that are built from these
  // tables are verified by their recipients.
  'sudoagent_head frame',
  'sudoagent_head cell',
  'sudoagent_head free',
  'sudoagent_calls free',
  'sudoagent_tile free',
  'sqlite_autoindex_sudoagent_tile_1 page',
  'sudoagent_cosigned free',
  'sudoagent_control free',
  'sudoagent_open free',
  'sqlite_autoindex_sudoagent_open_1 page',
]

/** Writes a ledger with SQLite's smallest pages, so that there are fewer bytes to flip. */
async function smallLedger(): Promise<string> {
  const path = join(temporaryFolder(), 'ledger.sqlite')
  const db = new Database(path)
  db.pragma('page_size = 512')
  db.exec(PYTHON_TABLE)
  db.close()
  const ledger = SqliteLedger.open(path, {
    signer: testSigner(1),
    clock: tickingClock(),
    // The origin is short, so that the head fits in one cell.
    origin: 'a.b/c',
  })
  const decision = decisionDraft(1)
  for (const draft of [decision, outcomeDraft(decision)]) await ledger.append(draft)
  await ledger.close()
  return path
}

/** Returns the rows as a reader does. */
async function rowsOf(path: string): Promise<unknown[]> {
  const reader = await openLedgerReader(path)
  const rows = []
  for await (const batch of reader.batches()) {
    for (const { bytes, ...rest } of batch) rows.push({ ...rest, bytes: Buffer.from(bytes).toString('hex') })
  }
  await reader.close()
  return rows
}

it('every flip of a byte of a SQLite ledger is found, or changes nothing of any row', {
  timeout: 1_800_000,
}, async () => {
  const path = await smallLedger()
  const bytes = readFileSync(path)
  const uses = mapSqliteFile(path, bytes)
  const rows = await rowsOf(path)
  expect(rows).toHaveLength(3)
  const found = new Tally()
  const nothing = new Tally()
  const evidence = new Set(
    uses.flatMap(({ table, use }, offset) =>
      table === 'ledger' && ['frame', 'cell', 'pointers'].includes(use) ? [offset] : [],
    ),
  )
  const head = Buffer.from(await headIn(path))
  const headAt = bytes.indexOf(head)
  expect(headAt).toBeGreaterThan(0)
  const isEvidence = (offset: number): boolean =>
    evidence.has(offset) || (offset >= headAt && offset < headAt + head.length)
  // Most bytes that are not evidence are in empty pages. The long tier therefore flips one in 8 of these bytes, and the
  // short tier one in 80.
  const masksFor = (offset: number): readonly number[] =>
    TIER === 'slow' || (isEvidence(offset) && (isLong || offset % 11 === 0))
      ? masksAt(offset)
      : offset % byTier({ short: 80, long: 8 }) === 0
        ? [0xff]
        : []
  for await (const { offset, mask, result } of flips(path, bytes, masksFor)) {
    const { table, use } = uses[offset] ?? { table: '?', use: 'free' }
    const where = `byte ${offset} ^ ${mask}: ${table} ${use}`
    if (typeof result === 'string') found.add(result)
    else if (!result.ok) found.add(result.findings[0]?.code ?? '')
    else {
      expect(isEvidence(offset), where).toBe(false)
      expect(NO_EVIDENCE, where).toContain(`${table} ${use}`)
      expect(await rowsOf(path), where).toEqual(rows)
      nothing.add(`${table} ${use}`)
    }
  }
  const all = [found, nothing].map((tally) => tally.names.reduce((sum, name) => sum + tally.count(name), 0))
  console.info(`${bytes.length} bytes, ${evidence.size} of them in rows: ${all[0]} flips found (${found})`)
  console.info(`${all[1]} flips carried nothing (${nothing})`)
  expect(await rowsOf(path)).toEqual(rows)
  expect((await verifyFile(path)).ok).toBe(true)
  expect(evidence.size).toBeGreaterThan(3_000)
})
