// Tests foreign indexes in a ledger file. SQLite must not read such an index instead of the table, because an index
// may omit rows.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { select } from '../../../src/read/query.js'
import { makeReceipt } from '../../../src/read/receipt.js'
import { callStory } from '../../../src/read/story.js'
import { openFileSink } from '../../../src/store/copy-target.js'
import { openLedgerReader } from '../../../src/store/open.js'
import { SqliteLedger } from '../../../src/store/sqlite/ledger.js'
import { copyLedger } from '../../../src/write/copy-ledger.js'
import { decisionDraft, requestIdOf } from '../../fixtures/draft.js'
import { codesOf, sqliteOf, verifyFile } from '../../fixtures/ledger-file.js'
import { inRanges, OWN_THREAD } from '../../fixtures/ranges.js'
import { refusalOf } from '../../fixtures/refusal.js'
import { writtenLines } from '../../fixtures/seal.js'
import { behindIndex } from '../../fixtures/spoiled/foreign-index.js'
import { temporaryFolder } from '../../fixtures/temporary.js'

const forgedLine = '{"forged":true}'
const INDEXES: readonly string[] = [
  'CREATE INDEX i ON ledger (id)',
  'CREATE INDEX i ON ledger (id DESC)',
  'CREATE UNIQUE INDEX i ON ledger (id, entry_json, entry_hash, prev_entry_hash)',
  'CREATE INDEX i ON ledger (id) WHERE id > 0',
  'CREATE INDEX i ON ledger (id, length(entry_json))',
  'CREATE INDEX i ON ledger (entry_hash COLLATE NOCASE)',
]

describe.each(INDEXES)('a row that an index does not know: %s', (index) => {
  const forged = async (): Promise<string> => {
    const lines = await writtenLines(Array.from({ length: 11 }, (_, n) => decisionDraft(n)))
    const [own = ''] = await writtenLines([decisionDraft(77)])
    return sqliteOf(lines, {
      spoil: (db) => behindIndex(db, index, () => db.prepare("INSERT INTO ledger VALUES (12, ?, '', NULL)").run(own)),
    })
  }

  it.each([1024, 11, 4])('is read and judged by verify, in ranges of %i', async (step) => {
    const reader = await openLedgerReader(await forged())
    onTestFinished(() => reader.close())
    const { verify } = await import('../../../src/verify/verify.js')
    const report = await verify(inRanges(reader, step), OWN_THREAD)
    expect(report).toMatchObject({ ok: false, entries: 12 })
    expect(codesOf(report)).toContain('CHAIN_BROKEN@12')
  })

  it('is found by filter, search, show, export and receipt', async () => {
    const reader = await openLedgerReader(await forged())
    onTestFinished(() => reader.close())
    const found: (string | number)[] = []
    for (const criteria of [{ requestId: requestIdOf(77) }, { text: 'customer 77' }])
      for await (const { position } of select(inRanges(reader, 4), criteria, OWN_THREAD)) found.push(position)
    found.push((await callStory(reader, { requestId: requestIdOf(77) })).decision?.position ?? 0)
    found.push((await callStory(reader, { position: 12 })).decision?.position ?? 0)
    expect(found).toEqual([12, 12, 12, 12])
  })

  it('is a file that writers refuse, with the statement that removes the index', async () => {
    const path = await forged()
    for (const write of [() => SqliteLedger.open(path), async () => openFileSink(path, 'sqlite').close()]) {
      expect(await refusalOf(write)).toBe('LEDGER_NOT_A_LEDGER')
    }
    expect(() => SqliteLedger.open(path)).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('DROP INDEX "i"') }),
    )
  })
})

it('an index and a table of the operator are warnings, and do not change the verdict', async () => {
  const path = sqliteOf(await writtenLines([decisionDraft(1), decisionDraft(2)]), {
    spoil: (db) => db.exec('CREATE INDEX by_hash ON ledger (entry_hash); CREATE TABLE notes (text CHECK (text > 1))'),
  })
  const report = await verifyFile(path)
  expect(report).toMatchObject({ ok: true, verdict: 'intact', findings: [] })
  expect(report.warnings.map(({ code, hint }) => `${code} ${hint}`)).toEqual([
    'STORE_FOREIGN_OBJECT writers refuse the file until you run: DROP INDEX "by_hash"',
    'STORE_FOREIGN_OBJECT writers refuse the file until you run: DROP TABLE "notes"',
  ])
})

it('a ledger without them has no warnings', async () => {
  expect((await verifyFile(sqliteOf(await writtenLines([decisionDraft(1)])))).warnings).toEqual([])
})

/** The indexes that SQLite makes of our primary keys. */
const OWN_INDEXES = ['sqlite_autoindex_sudoagent_tile_1', 'sqlite_autoindex_sudoagent_open_1']

describe('statements on our tables', () => {
  it('use no index but those of our primary keys, by the query plan of each', async () => {
    const prepared = new Set<string>()
    const prepare = Database.prototype.prepare
    const spy = vi.spyOn(Database.prototype, 'prepare').mockImplementation(function (
      this: Database.Database,
      sql: string,
    ) {
      prepared.add(sql)
      return prepare.call(this, sql)
    })
    onTestFinished(() => spy.mockRestore())
    const path = join(temporaryFolder(), 'ledger.sqlite')
    const ledger = SqliteLedger.open(path)
    await Promise.all(Array.from({ length: 300 }, (_, n) => ledger.append(decisionDraft(n))))
    await ledger.close()
    const again = SqliteLedger.open(path)
    await again.append(decisionDraft(301))
    await again.close()
    const reader = await openLedgerReader(path)
    const { verify } = await import('../../../src/verify/verify.js')
    await verify(inRanges(reader, 64), OWN_THREAD)
    await makeReceipt(reader, { requestId: requestIdOf(3) })
    await callStory(reader, { requestId: requestIdOf(299) })
    for await (const _ of select(inRanges(reader, 64), { text: 'customer 3' }, OWN_THREAD));
    const sink = openFileSink(join(temporaryFolder(), 'copy.sqlite'), 'sqlite')
    await copyLedger(reader, sink)
    await sink.close()
    await reader.close()
    spy.mockRestore()

    const db = new Database(path)
    onTestFinished(() => void db.close())
    // For each statement that an index could answer, one of these indexes covers all columns.
    db.exec(`CREATE INDEX a ON ledger (id); CREATE INDEX b ON ledger (id, entry_json, entry_hash, prev_entry_hash);
      CREATE INDEX c ON ledger (entry_hash, id); CREATE INDEX d ON sudoagent_head (id, size, entry_hash, frontier, controls, checkpoint);
      CREATE INDEX e ON sudoagent_cosigned (id, size, checkpoint); CREATE INDEX f ON sudoagent_calls (tile, calls);
      CREATE INDEX g ON sudoagent_tile (level, tile, hashes); ANALYZE`)
    const onOurs = [...prepared].filter((sql) => /^\s*SELECT/.test(sql) && /FROM\s+(?:ledger|sudoagent_)/.test(sql))
    expect(onOurs.length).toBeGreaterThan(12)
    for (const sql of onOurs) {
      const values = sql.match(/\?/g)?.map(() => 1) ?? []
      const plan = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...values) as { readonly detail: string }[]
      const indexes = plan.map(({ detail }) => /USING (?:COVERING )?INDEX (\S+)/.exec(detail)?.[1] ?? null)
      expect(
        indexes.filter((name) => name !== null && !OWN_INDEXES.includes(name)),
        sql,
      ).toEqual([])
    }
  })

  it('say NOT INDEXED wherever the sources read a table of ours', () => {
    const folder = new URL('../../../src/', import.meta.url)
    const texts = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(new URL(name, folder), 'utf8'))
    const reads = texts.flatMap((text) => text.match(/\bFROM (?:ledger|sudoagent_\w+)\b(?: \w+ \w+)?/g) ?? [])
    expect(reads.length).toBeGreaterThan(12)
    expect(reads.filter((read) => !/ NOT INDEXED$| INDEXED BY$/.test(read))).toEqual([])
  })
})

it('a row that no hash covers is still a row: forged text behind the index is not passed over', async () => {
  const path = sqliteOf(await writtenLines([decisionDraft(1)]), {
    spoil: (db) =>
      behindIndex(db, INDEXES[0] ?? '', () => db.prepare("INSERT INTO ledger VALUES (2, ?, '', NULL)").run(forgedLine)),
  })
  expect(codesOf(await verifyFile(path))[0]).toMatch(/@2$/)
})
