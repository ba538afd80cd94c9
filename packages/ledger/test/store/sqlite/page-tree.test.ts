// Tests ledger files in which pages form a cycle or share a child. Every operation that reads or writes such a file
// must end within a limited time.
import { readFileSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it, onTestFinished } from 'vitest'
import { processorTime } from '../../../../crypto/test/fixtures/processor-time.js'
import { exportLedger } from '../../../src/read/export-ledger.js'
import { callStory } from '../../../src/read/story.js'
import { openFileSink } from '../../../src/store/copy-target.js'
import { keepCosigned } from '../../../src/store/keep-cosigned.js'
import { openLedgerReader } from '../../../src/store/open.js'
import { SqliteLedger } from '../../../src/store/sqlite/ledger.js'
import { CREATE_LEDGER_TABLE } from '../../../src/store/sqlite/tables.js'
import { copyLedger } from '../../../src/write/copy-ledger.js'
import { decisionDraft, requestIdOf } from '../../fixtures/draft.js'
import { codesOf, sqliteOf, verifyFile } from '../../fixtures/ledger-file.js'
import { refusalOf } from '../../fixtures/refusal.js'
import { writtenLines } from '../../fixtures/seal.js'
import { blownUp, rootOf } from '../../fixtures/spoiled/page-tree.js'
import { temporaryFolder } from '../../fixtures/temporary.js'

const lines = await writtenLines(Array.from({ length: 30 }, (_, n) => decisionDraft(n)))

describe.each<[string, () => string]>([
  ['the table of entries', () => blownUp(sqliteOf(lines), rootOf(sqliteOf(lines), 'ledger'))],
  ['the schema', () => blownUp(sqliteOf(lines), 1)],
  ["SQLite's own table of ids", () => blownUp(sqliteOf(lines), rootOf(sqliteOf(lines), 'sqlite_sequence'))],
  [
    'a table of somebody else',
    () => {
      const path = sqliteOf(lines, { spoil: (db) => db.exec('CREATE TABLE notes (x)') })
      return blownUp(path, rootOf(path, 'notes'))
    },
  ],
])('many pages that lead to one: %s', (_, make) => {
  it('is damage, found in time by every reader', async () => {
    const path = make()
    const took = processorTime()
    const report = await verifyFile(path)
    expect(codesOf(report)).toContain('STORE_DAMAGED@-')
    const reader = await openLedgerReader(path)
    onTestFinished(() => reader.close())
    let text = ''
    for await (const part of exportLedger(reader, 'ndjson')) text += part
    expect(text.length).toBeLessThan(100_000)
    expect(reader.faults().map(({ code }) => code)).toContain('STORE_DAMAGED')
    for (const key of [{ requestId: requestIdOf(3) }, { requestId: requestIdOf(999) }, { position: 20 }])
      await refusalOf(() => callStory(reader, key))
    expect(took()).toBeLessThan(10_000)
  })

  it('is refused in time by every writer', async () => {
    const path = make()
    const before = readFileSync(path)
    const took = processorTime()
    const note = 'a.example/log\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n'
    for (const write of [
      () => SqliteLedger.open(path),
      () => openFileSink(path, 'sqlite'),
      async () => void (await copyLedger(await openLedgerReader(path), openFileSink(path, 'sqlite'))),
    ])
      expect(await refusalOf(write)).toBe('LEDGER_DAMAGED')
    expect(() => keepCosigned(path, note)).toThrow()
    expect(readFileSync(path).equals(before)).toBe(true)
    expect(took()).toBeLessThan(10_000)
  })
})

/**
 * Makes the file too large to walk completely before opening. The check must still walk tables that SQLite reads on
 * its own or that a command reads completely.
 */
function enlarged(path: string): string {
  truncateSync(path, 40 * 1024 * 1024)
  return path
}

describe.each<[string, () => string | Promise<string>]>([
  [
    'the statistics that SQLite loads with the schema',
    () => spoiledAt('sqlite_stat1', sqliteOf(lines, { spoil: (db) => db.exec(STATISTICS) })),
  ],
  ["SQLite's own table of ids", () => spoiledAt('sqlite_sequence', sqliteOf(lines))],
  ["SQLite's own table of ids, in a file whose text is UTF-16", () => spoiledAt('sqlite_sequence', wide())],
  ['the list of calls', async () => spoiledAt('sudoagent_calls', await written())],
  ['the head', async () => spoiledAt('sudoagent_head', await written())],
  ['the table of entries', () => spoiledAt('ledger', sqliteOf(lines))],
  ['the tiles', async () => spoiledAt('sudoagent_tile', await written())],
])('in a large file, many pages that lead to one: %s', (_, make) => {
  it('every way to read it, or to write to it, ends in time', async () => {
    const path = enlarged(await make())
    const took = processorTime()
    await refusalOf(async () => {
      const reader = await openLedgerReader(path)
      await refusalOf(() => reader.lineAt(3))
      await refusalOf(() => reader.evidence())
      await refusalOf(async () => reader.treeReader(30)?.(0, 0))
      for (const key of [{ requestId: requestIdOf(3) }, { requestId: requestIdOf(999) }, { position: 20 }])
        await refusalOf(() => callStory(reader, key))
      await reader.close()
    })
    expect(codesOf(await verifyFile(path))).toContain('STORE_DAMAGED@-')
    await refusalOf(async () => {
      const ledger = SqliteLedger.open(path)
      await ledger.append(decisionDraft(77)).finally(() => ledger.close())
    })
    expect(took()).toBeLessThan(20_000)
  })
})

const STATISTICS = 'CREATE INDEX i ON ledger (entry_hash); ANALYZE; DROP INDEX i'

/** Writes a ledger with one full tile. */
async function written(): Promise<string> {
  const path = join(temporaryFolder(), 'written.sqlite')
  const ledger = SqliteLedger.open(path)
  await Promise.all(Array.from({ length: 300 }, (_, n) => ledger.append(decisionDraft(n))))
  await ledger.close()
  const db = new Database(path)
  db.pragma('journal_mode = DELETE')
  db.close()
  return path
}

function spoiledAt(table: string, path: string): string {
  return blownUp(path, rootOf(path, table))
}

/** Creates a ledger whose text is stored as UTF-16. */
function wide(): string {
  const path = join(temporaryFolder(), 'wide.sqlite')
  const db = new Database(path)
  db.pragma("encoding = 'UTF-16le'")
  db.exec(CREATE_LEDGER_TABLE)
  db.exec("INSERT INTO ledger (entry_json, entry_hash) VALUES ('{}', '')")
  db.close()
  return path
}
