// Tests that a SQLite writer never changes a file of a different application, and that it refuses its own file after a
// different program changed that file.
import { copyFileSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import type { LedgerError } from '../../../src/error.js'
import { openLedgerReader } from '../../../src/store/open.js'
import { SqliteLedger } from '../../../src/store/sqlite/ledger.js'
import { decisionDraft } from '../../fixtures/draft.js'
import { PYTHON_TABLE, sqliteOf, verifyFile } from '../../fixtures/ledger-file.js'
import { run } from '../../fixtures/process/child.js'
import { refusalOf } from '../../fixtures/refusal.js'
import { writtenLines } from '../../fixtures/seal.js'
import { temporaryFolder } from '../../fixtures/temporary.js'

const newPath = (): string => join(temporaryFolder(), 'ledger.sqlite')
/** Changes a database while its writer has it open. */
function behindItsBack(path: string, sql: string): void {
  const db = new Database(path)
  db.exec(sql)
  db.close()
}

describe('a file that is no ledger', () => {
  const OTHER_TABLE = 'id INTEGER PRIMARY KEY AUTOINCREMENT, entry_json TEXT NOT NULL, entry_hash TEXT NOT NULL'
  it.each<[string, string]>([
    ["another application's", 'CREATE TABLE notes (text)'],
    ['one with a view only', 'CREATE VIEW notes AS SELECT 1'],
    [
      'a view called ledger',
      'CREATE VIEW ledger AS SELECT 1 AS id, 2 AS entry_json, 3 AS entry_hash, 4 AS prev_entry_hash',
    ],
    [
      'a virtual table called ledger',
      'CREATE VIRTUAL TABLE ledger USING fts5(id, entry_json, entry_hash, prev_entry_hash)',
    ],
    ['an index called ledger', 'CREATE TABLE notes (text); CREATE INDEX ledger ON notes (text)'],
    ['a table with other columns', 'CREATE TABLE ledger (id INTEGER PRIMARY KEY, text TEXT)'],
    ['one column more', `CREATE TABLE ledger (${OTHER_TABLE}, prev_entry_hash TEXT, note TEXT)`],
    ['a generated column', `CREATE TABLE ledger (${OTHER_TABLE}, prev_entry_hash TEXT, x AS (length(entry_json)))`],
    ['a check', `CREATE TABLE ledger (${OTHER_TABLE}, prev_entry_hash TEXT CHECK (length(randomblob(9)) > 0))`],
    [
      'an id that may be used again',
      'CREATE TABLE ledger (id INTEGER PRIMARY KEY, entry_json TEXT NOT NULL, entry_hash TEXT NOT NULL, prev_entry_hash TEXT)',
    ],
    [
      'a trigger',
      `${PYTHON_TABLE} CREATE TRIGGER t AFTER INSERT ON ledger BEGIN DELETE FROM ledger WHERE id = NEW.id - 1; END`,
    ],
  ])('is refused and left as it is: %s', async (_, sql) => {
    const path = newPath()
    behindItsBack(path, sql)
    const before = readFileSync(path)
    expect(await refusalOf(() => SqliteLedger.open(path))).toBe('LEDGER_NOT_A_LEDGER')
    expect(readFileSync(path).equals(before)).toBe(true)
    expect(readdirSync(dirname(path))).toEqual(['ledger.sqlite'])
  })

  it.each<[string, string]>([
    ['text', 'hello'],
    ['a JSONL ledger', '{"action":"a"}\n'],
    ['a beginning of a database', 'SQLite form'],
    ['random bytes', '\u0001\u0002\u0003'.repeat(2_000)],
    ['a database cut off in its header', 'SQLite format 3\0\u0010'],
  ])('is refused and left as it is: %s', async (_, content) => {
    const path = newPath()
    writeFileSync(path, content)
    expect(await refusalOf(() => SqliteLedger.open(path))).toBe('LEDGER_NOT_A_LEDGER')
    expect(readFileSync(path, 'utf8')).toBe(content)
    expect(readdirSync(dirname(path))).toEqual(['ledger.sqlite'])
  })

  it.each<[string, (folder: string) => string, string]>([
    ['a directory', (folder) => folder, 'LEDGER_IS_DIRECTORY'],
    ['a folder that is not there', (folder) => join(folder, 'no/ledger.sqlite'), 'LEDGER_NOT_FOUND'],
    ['a link to nothing', linkToNothing, 'LEDGER_NOT_FOUND'],
    ['a device', () => '/dev/null', 'LEDGER_NOT_A_LEDGER'],
  ])('is refused: %s', async (_, makePath, code) => {
    const path = makePath(temporaryFolder())
    expect(await refusalOf(() => SqliteLedger.open(path))).toBe(code)
  })

  it('is refused without waiting: a pipe', async () => {
    const path = newPath()
    await run('mkfifo', [path])
    expect(await refusalOf(() => SqliteLedger.open(path))).toBe('LEDGER_NOT_A_LEDGER')
  })

  it.each<[string, (line: string) => string, string]>([
    ['does not hold', (line) => line.replace('"amount":2', '"amount":3'), 'LEDGER_DAMAGED'],
    ['is no entry', () => '{}', 'LEDGER_NOT_A_LEDGER'],
  ])('is refused when the last entry %s', async (_, change, code) => {
    const [first = '', second = ''] = await writtenLines([decisionDraft(1), decisionDraft(2)])
    expect(await refusalOf(() => SqliteLedger.open(sqliteOf([first, change(second)])))).toBe(code)
  })

  it('is taken when it is empty', async () => {
    const path = newPath()
    writeFileSync(path, '')
    const ledger = SqliteLedger.open(path)
    expect((await ledger.append(decisionDraft(1))).position).toBe(2)
    await ledger.close()
  })
})

function linkToNothing(folder: string): string {
  symlinkSync(join(folder, 'nothing'), join(folder, 'link'))
  return join(folder, 'link')
}

describe('a change under the writer', () => {
  it.each<[string, (path: string) => void]>([
    ['the file was deleted', (path) => rmSync(path)],
    [
      'the file was replaced',
      (path) => {
        rmSync(path)
        behindItsBack(path, PYTHON_TABLE)
      },
    ],
    ['its last row was removed', (path) => behindItsBack(path, 'DELETE FROM ledger WHERE id = 3')],
    ['all rows were removed', (path) => behindItsBack(path, 'DELETE FROM ledger')],
    ['its last row was changed', (path) => behindItsBack(path, "UPDATE ledger SET entry_hash = '0' WHERE id = 3")],
    [
      'a row that is no entry came behind it',
      (path) => behindItsBack(path, "INSERT INTO ledger VALUES (4, '{}', '', NULL)"),
    ],
    [
      'a row came behind it whose column lies',
      (path) => behindItsBack(path, "INSERT INTO ledger SELECT 4, entry_json, '0', NULL FROM ledger WHERE id = 1"),
    ],
  ])('stops it: %s', async (_, change) => {
    const path = newPath()
    const ledger = SqliteLedger.open(path)
    await ledger.append(decisionDraft(1))
    await ledger.append(decisionDraft(2))
    change(path)
    const refusals = [
      await refusalOf(() => ledger.append(decisionDraft(3))),
      await refusalOf(() => ledger.append(decisionDraft(4))),
    ]
    expect(['LEDGER_DAMAGED', 'LEDGER_NOT_A_LEDGER']).toContain(refusals[0])
    expect(refusals[1]).toBe(refusals[0])
    await ledger.close()
  })
})

describe('a -wal that is deleted under the writer', () => {
  it('stops it, and what it acknowledged before is still written to the database', async () => {
    const path = newPath()
    const ledger = SqliteLedger.open(path)
    await ledger.append(decisionDraft(1))
    rmSync(`${path}-wal`)
    expect(await refusalOf(() => ledger.append(decisionDraft(2)))).toBe('LEDGER_DAMAGED')
    await ledger.close()
    expect(await verifyFile(path)).toMatchObject({ ok: true, entries: 2 })
  })
})

it('a copy of a database in WAL mode without its log: the hint names what was left behind', async () => {
  const path = newPath()
  const ledger = SqliteLedger.open(path)
  await ledger.append(decisionDraft(1))
  // While the writer has the file open, the tables are only in the write-ahead log.
  const copy = newPath()
  copyFileSync(path, copy)
  const error = await openLedgerReader(copy).then(
    () => null,
    (thrown: unknown) => thrown as LedgerError,
  )
  expect(error).toMatchObject({ code: 'LEDGER_NOT_A_LEDGER', hint: expect.stringContaining('`-wal` file is missing') })
  copyFileSync(`${path}-wal`, `${copy}-wal`)
  expect(await verifyFile(copy)).toMatchObject({ ok: true, entries: 2 })
  await ledger.close()
})
