// Tests a SQLite ledger as untrusted input: content that an attacker could write to the file.
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { processorTime } from '../../../../crypto/test/fixtures/processor-time.js'
import { LINE_BYTES_MAX } from '../../../src/limits.js'
import { openLedgerReader } from '../../../src/store/open.js'
import { decisionDraft } from '../../fixtures/draft.js'
import { codesOf, PYTHON_TABLE, sqliteOf, verifyFile } from '../../fixtures/ledger-file.js'
import { refusalOf } from '../../fixtures/refusal.js'
import { writtenLines } from '../../fixtures/seal.js'
import { temporaryFolder } from '../../fixtures/temporary.js'

const lines = await writtenLines(Array.from({ length: 40 }, (_, n) => decisionDraft(n)))

describe('a database that is no ledger', () => {
  it.each<[string, string]>([
    ['no table at all', 'PRAGMA user_version = 1'],
    ['other tables', 'CREATE TABLE notes (text)'],
    ['a view called ledger', `${PYTHON_TABLE.replace('ledger', 'other')} CREATE VIEW ledger AS SELECT * FROM other`],
    ['a generated column', PYTHON_TABLE.replace('prev_entry_hash TEXT', "prev_entry_hash TEXT, x AS (upper('x'))")],
    [
      'a check',
      PYTHON_TABLE.replace('prev_entry_hash TEXT', 'prev_entry_hash TEXT CHECK (length(randomblob(1000000000)) > 0)'),
    ],
    [
      'a virtual table called ledger',
      'CREATE VIRTUAL TABLE ledger USING fts5(id, entry_json, entry_hash, prev_entry_hash)',
    ],
  ])('is refused: %s', async (_, sql) => {
    const path = join(temporaryFolder(), 'ledger.sqlite')
    const db = new Database(path)
    db.exec(sql)
    db.close()
    expect(await refusalOf(() => openLedgerReader(path))).toBe('LEDGER_NOT_A_LEDGER')
    expect(readdirSync(dirname(path))).toEqual(['ledger.sqlite'])
  })
})

describe('a damaged database', () => {
  it('is a finding or a coded error at every length that it is cut to', async () => {
    const whole = readFileSync(sqliteOf(lines, { pageSize: 1024 }))
    const path = join(temporaryFolder(), 'ledger.sqlite')
    const answers = new Set<string>()
    for (let length = 17; length < whole.length; length += 997) {
      writeFileSync(path, whole.subarray(0, length))
      const code = await refusalOf(async () => {
        const report = await verifyFile(path)
        expect(report.ok).toBe(false)
        for (const { code } of report.findings) answers.add(code)
      })
      if (code !== null) answers.add(code)
    }
    expect([...answers].sort()).toEqual(['LEDGER_DAMAGED', 'LEDGER_NOT_A_LEDGER', 'STORE_DAMAGED'])
  })

  it('keeps what stands before the damage, and says that the rest could not be read', async () => {
    const path = sqliteOf(await writtenLines(Array.from({ length: 400 }, (_, n) => decisionDraft(n))), {
      pageSize: 512,
    })
    const bytes = readFileSync(path)
    bytes.fill(0xff, bytes.length - 20 * 512)
    writeFileSync(path, bytes)
    const report = await verifyFile(path)
    // The last entry before the damage may extend into the damaged pages.
    expect(codesOf(report).filter((code) => !code.startsWith('LINE_NOT_JSON@39'))).toEqual(['STORE_DAMAGED@-'])
    // The 20 damaged pages of 512 bytes contain fewer than 12 entries.
    expect(report.entries).toBeGreaterThan(388)
  })

  it("shows that rows were cut from the end, unless SQLite's own book was changed, too", async () => {
    const cut = 'DELETE FROM ledger WHERE id > 38'
    const path = sqliteOf(lines, { spoil: (db) => db.exec(cut) })
    expect(codesOf(await verifyFile(path))).toEqual(['TRUNCATED@-'])
    // The remaining ledger is valid. Only a head stored elsewhere reveals this truncation.
    const thorough = sqliteOf(lines, { spoil: (db) => db.exec(`${cut}; UPDATE sqlite_sequence SET seq = 38`) })
    expect(await verifyFile(thorough)).toMatchObject({ ok: true, entries: 38 })
  })

  it('shows a page that is not in use where it should be', async () => {
    const path = sqliteOf(lines, { pageSize: 512 })
    truncateSync(path, statSync(path).size + 512)
    const header = readFileSync(path)
    // The page count in the header (bytes 28 to 31) now includes an unreferenced page.
    header.writeUInt32BE(header.length / 512, 28)
    writeFileSync(path, header)
    expect(codesOf(await verifyFile(path))).toEqual(['STORE_DAMAGED@-'])
  })
})

describe('rows that are no entries', () => {
  const put = (sql: string, ...values: unknown[]): string =>
    sqliteOf(lines.slice(0, 2), { spoil: (db) => void db.prepare(sql).run(...values) })

  it.each<[string, () => string, string[]]>([
    [
      'a blob',
      () => put('UPDATE ledger SET entry_json = CAST(entry_json AS BLOB) WHERE id = 2'),
      ['COLUMN_MISMATCH@2'],
    ],
    ['a number', () => put("UPDATE ledger SET entry_json = x'37' WHERE id = 2"), ['COLUMN_MISMATCH@2']],
    ['an empty text', () => put("UPDATE ledger SET entry_json = '' WHERE id = 2"), ['LINE_NOT_JSON@2']],
    [
      'a text that is too long',
      () => put('UPDATE ledger SET entry_json = ? WHERE id = 2', ' '.repeat(LINE_BYTES_MAX + 1)),
      ['LINE_TOO_LONG@2'],
    ],
    [
      'text that is not UTF-8',
      () => put("UPDATE ledger SET entry_json = CAST(x'7bff7d' AS TEXT) WHERE id = 2"),
      ['LINE_NOT_JSON@2'],
    ],
    [
      'a hash column as a blob',
      () => put('UPDATE ledger SET entry_hash = CAST(entry_hash AS BLOB) WHERE id = 2'),
      ['COLUMN_MISMATCH@2'],
    ],
    [
      'a hash column that is huge',
      () => put('UPDATE ledger SET entry_hash = ? WHERE id = 2', 'x'.repeat(9_000_000)),
      ['COLUMN_MISMATCH@2'],
    ],
    [
      'a link column that is huge',
      () => put('UPDATE ledger SET prev_entry_hash = ? WHERE id = 1', 'x'.repeat(9_000_000)),
      ['COLUMN_MISMATCH@1'],
    ],
    [
      'a link column that is gone',
      () => put('UPDATE ledger SET prev_entry_hash = NULL WHERE id = 2'),
      ['COLUMN_MISMATCH@2'],
    ],
    ['a negative id', () => put('UPDATE ledger SET id = -5 WHERE id = 1'), ['COLUMN_MISMATCH@1']],
    [
      'the smallest id there is',
      () => put('UPDATE ledger SET id = -9223372036854775808 WHERE id = 1'),
      ['STORE_DAMAGED@-'],
    ],
    [
      'an id beyond what a double can tell apart',
      () => put('UPDATE ledger SET id = 9007199254740993 WHERE id = 2'),
      ['STORE_DAMAGED@-'],
    ],
  ])('are findings: %s', async (_, makePath, codes) => {
    expect(codesOf(await verifyFile(makePath()))).toEqual(codes)
  })

  it('are handed over in batches that are bounded in bytes, too', async () => {
    const path = sqliteOf([], {
      spoil: (db) => {
        const insert = db.prepare("INSERT INTO ledger (entry_json, entry_hash) VALUES (?, '')")
        for (let n = 0; n < 12; n += 1) insert.run('x'.repeat(LINE_BYTES_MAX))
      },
    })
    const reader = await openLedgerReader(path)
    const sizes: number[] = []
    for await (const batch of reader.batches()) sizes.push(batch.length)
    await reader.close()
    expect(sizes).toEqual([2, 2, 2, 2, 2, 2])
  })
})

describe('a database that was prepared to run code', () => {
  const NEVER_ENDS = 'WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x FROM n) SELECT x AS name, x AS seq FROM n'
  it.each<[string, string, string[]]>([
    [
      // Each evaluation takes half a gigabyte of memory and two seconds. Three rows are enough for this test to detect
      // an evaluation, but a real attack would use millions of rows.
      'in a check of another table',
      'CREATE TABLE t (x CHECK (length(randomblob(500000000)) > 0)); PRAGMA ignore_check_constraints = ON; INSERT INTO t VALUES (1), (2), (3)',
      [],
    ],
    ['in a view', `CREATE VIEW v AS ${NEVER_ENDS}`, ['STORE_FOREIGN_OBJECT@-']],
    [
      'in a trigger',
      'CREATE TRIGGER t AFTER INSERT ON ledger BEGIN DELETE FROM ledger; END',
      ['STORE_FOREIGN_OBJECT@-'],
    ],
    [
      'in an index',
      `CREATE INDEX i ON ledger (length(id)); PRAGMA writable_schema = ON;
       UPDATE sqlite_schema SET sql = 'CREATE INDEX i ON ledger (length(hex(zeroblob(400000000 + id))))' WHERE name = 'i'`,
      [],
    ],
    [
      "in a view in place of SQLite's own book",
      `PRAGMA writable_schema = ON; UPDATE sqlite_schema SET type = 'view', rootpage = 0, sql = 'CREATE VIEW sqlite_sequence AS ${NEVER_ENDS}'
        WHERE name = 'sqlite_sequence'`,
      ['STORE_DAMAGED@-', 'STORE_FOREIGN_OBJECT@-'],
    ],
  ])('does not get to run it: %s', async (_, sql, codes) => {
    // In WAL mode, the reader opens a writable connection, on which SQLite evaluates more expressions than on a
    // read-only connection.
    const path = sqliteOf(lines, { wal: true, spoil: (db) => void db.unsafeMode().exec(sql) })
    const took = processorTime()
    expect(codesOf(await verifyFile(path))).toEqual(codes)
    expect(took()).toBeLessThan(2_000)
  })
})

describe('a path', () => {
  it('may have anything in it: a folder with spaces, quotes and a percent sign', async () => {
    const folder = join(temporaryFolder(), `it's 100% "odd"?mode=rw#x`)
    mkdirSync(folder)
    const path = sqliteOf(lines, { wal: true }, join(folder, 'ledger.sqlite'))
    expect(await verifyFile(path)).toMatchObject({ ok: true })
    expect([existsSync(path), readdirSync(folder), basename(path)]).toEqual([true, ['ledger.sqlite'], 'ledger.sqlite'])
  })
})
