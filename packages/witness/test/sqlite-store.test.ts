import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import { SqliteWitnessStore } from '../src/sqlite-store.js'
import type { StoredCheckpoint } from '../src/store.js'
import { codeOf, errorOf } from './fixtures/errors.js'
import { ORIGIN, TestLog } from './fixtures/log.js'
import { describeStore } from './fixtures/store-contract.js'
import { temporaryFolder } from './fixtures/temporary.js'

const log = new TestLog()
const at = async (size: number): Promise<StoredCheckpoint> => ({
  size,
  root: log.root(size),
  note: await log.checkpoint(size),
  time: 1_700_000_000 + size,
})
const newPath = (): string => join(temporaryFolder(), 'witness.sqlite')

/** Changes a database without using its store. */
function behindItsBack(path: string, ...statements: readonly string[]): void {
  const db = new Database(path)
  for (const statement of statements) db.exec(statement)
  db.close()
}

describeStore('sqlite', () => {
  const path = newPath()
  return { store: SqliteWitnessStore.open(path), open: () => SqliteWitnessStore.open(path) }
})

test('remembers after it was closed', async () => {
  const path = newPath()
  const first = SqliteWitnessStore.open(path)
  await first.swap(ORIGIN, 0, await at(7))
  await first.close()
  await first.close()
  expect(readdirSync(dirname(path))).toEqual(['witness.sqlite'])
  const second = SqliteWitnessStore.open(path)
  expect(await second.read(ORIGIN)).toEqual(await at(7))
  await second.close()
})

test('makes a file for its owner alone, in WAL mode, with full sync', async () => {
  const path = newPath()
  const store = SqliteWitnessStore.open(path)
  await store.swap(ORIGIN, 0, await at(1))
  for (const suffix of ['', '-wal']) expect(statSync(path + suffix).mode & 0o777).toBe(0o600)
  expect(readFileSync(path)[18]).toBe(2)
  await store.close()
})

test('takes an empty file, and a link to one', async () => {
  const path = newPath()
  writeFileSync(path, '')
  symlinkSync(path, `${path}.link`)
  const store = SqliteWitnessStore.open(`${path}.link`)
  expect(await store.swap(ORIGIN, 0, await at(1))).toBe(true)
  await store.close()
})

describe('leaves alone what is not its own', () => {
  const TABLE = 'CREATE TABLE sudoagent_witness (origin TEXT NOT NULL PRIMARY KEY, size, root, note)'
  test.each([
    ["another application's", 'CREATE TABLE notes (text)'],
    ['a ledger', 'CREATE TABLE ledger (id INTEGER PRIMARY KEY AUTOINCREMENT, entry_json TEXT)'],
    ['a table of that name with other columns', TABLE],
    [
      'a view of that name',
      'CREATE VIEW sudoagent_witness AS SELECT 1 AS origin, 2 AS size, 3 AS root, 4 AS note, 5 AS time',
    ],
  ])('%s', async (_, sql) => {
    const path = newPath()
    behindItsBack(path, sql)
    const before = readFileSync(path)
    expect(await codeOf(() => SqliteWitnessStore.open(path))).toBe('STORE_NOT_A_STORE')
    expect(readFileSync(path).equals(before)).toBe(true)
    expect(readdirSync(dirname(path))).toEqual(['witness.sqlite'])
  })

  test('its own with a trigger', async () => {
    const path = newPath()
    await SqliteWitnessStore.open(path).close()
    const trigger = 'CREATE TRIGGER t AFTER UPDATE ON sudoagent_witness BEGIN DELETE FROM sudoagent_witness; END'
    behindItsBack(path, trigger)
    expect(await codeOf(() => SqliteWitnessStore.open(path))).toBe('STORE_NOT_A_STORE')
  })

  test.each([
    ['text', 'hello'],
    ['the beginning of a database', 'SQLite form'],
    ['a database cut off in its header', 'SQLite format 3\0\u0010'],
    ['random bytes', '\u0001\u0002\u0003'.repeat(2000)],
  ])('%s', async (_, content) => {
    const path = newPath()
    writeFileSync(path, content)
    expect(await codeOf(() => SqliteWitnessStore.open(path))).toBe('STORE_NOT_A_STORE')
    expect(readFileSync(path, 'utf8')).toBe(content)
    expect(readdirSync(dirname(path))).toEqual(['witness.sqlite'])
  })

  test('a folder, a device, a path into nowhere, and names that mean something to SQLite', async () => {
    const folder = temporaryFolder()
    expect(await codeOf(() => SqliteWitnessStore.open(folder))).toBe('STORE_NOT_A_STORE')
    expect(await codeOf(() => SqliteWitnessStore.open('/dev/null'))).toBe('STORE_NOT_A_STORE')
    const { code, message } = await errorOf(() => SqliteWitnessStore.open(join(folder, 'n\u001b[31m/witness.sqlite')))
    expect(code).toBe('STORE_FAILED')
    expect(message).not.toContain('\u001b')
    for (const path of ['', ' ', `${folder}/a `, ' a', 'a\n']) {
      expect(() => SqliteWitnessStore.open(path)).toThrow(TypeError)
    }
    mkdirSync(join(folder, 'in'))
    const store = SqliteWitnessStore.open(join(folder, 'in', ':memory:'))
    await store.close()
    expect(readdirSync(join(folder, 'in'))).toEqual([':memory:'])
  })
})

describe('stops for good when the file is not what it was', () => {
  test.each<[string, (path: string) => void]>([
    ['deleted', (path) => rmSync(path)],
    [
      'replaced',
      (path) => {
        renameSync(path, `${path}.old`)
        writeFileSync(path, '')
      },
    ],
    ['its -wal deleted', (path) => rmSync(`${path}-wal`)],
    ['its size changed', (path) => behindItsBack(path, 'UPDATE sudoagent_witness SET size = 3')],
    ['its root changed', (path) => behindItsBack(path, 'UPDATE sudoagent_witness SET root = zeroblob(32)')],
    ['its time changed to one that is not', (path) => behindItsBack(path, 'UPDATE sudoagent_witness SET time = -1')],
    [
      'its time changed to a number beyond exact ones',
      (path) => behindItsBack(path, 'UPDATE sudoagent_witness SET time = 9223372036854775807'),
    ],
    ['its note changed', (path) => behindItsBack(path, "UPDATE sudoagent_witness SET note = 'x'")],
    [
      'moved to another log',
      (path) =>
        behindItsBack(
          path,
          "INSERT INTO sudoagent_witness SELECT 'x', size, root, note, time FROM sudoagent_witness",
          "DELETE FROM sudoagent_witness WHERE origin <> 'x'",
          `UPDATE sudoagent_witness SET origin = '${ORIGIN}', note = replace(note, 'example.com', 'example.org')`,
        ),
    ],
  ])('%s', async (_, change) => {
    const path = newPath()
    const store = SqliteWitnessStore.open(path)
    await store.swap(ORIGIN, 0, await at(7))
    change(path)
    expect(await codeOf(async () => store.swap(ORIGIN, 7, await at(9)))).toBe('STORE_DAMAGED')
    expect(await codeOf(async () => store.read('anything'))).toBe('STORE_DAMAGED')
    await store.close()
  })

  test('but not while another process holds the lock for a moment', async () => {
    const path = newPath()
    const store = SqliteWitnessStore.open(path)
    const other = new Database(path)
    other.exec('BEGIN IMMEDIATE')
    const { code, message } = await errorOf(async () => store.swap(ORIGIN, 0, await at(7)))
    expect([code, message]).toEqual(['STORE_FAILED', expect.stringContaining('locked')])
    expect(await store.read(ORIGIN)).toBe(null)
    other.exec('ROLLBACK')
    other.close()
    expect(await store.swap(ORIGIN, 0, await at(7))).toBe(true)
    await store.close()
  })

  test('and says so when it is closed', async () => {
    const store = SqliteWitnessStore.open(newPath())
    await store.close()
    expect(await codeOf(async () => store.read(ORIGIN))).toBe('STORE_FAILED')
  })
})

describe('an object that is added while the store is open', () => {
  test.each([
    ['a trigger', 'CREATE TRIGGER t AFTER UPDATE ON sudoagent_witness BEGIN DELETE FROM sudoagent_witness; END'],
    ['an index', 'CREATE INDEX i ON sudoagent_witness (size)'],
    ['a view', 'CREATE VIEW v AS SELECT 1'],
    ['a table', 'CREATE TABLE more (x)'],
    ['a table of ours that is not plain', 'CREATE TABLE sudoagent_more (x CHECK (x > 0))'],
  ])('ends it: %s', async (_, sql) => {
    const path = newPath()
    const store = SqliteWitnessStore.open(path)
    await store.swap(ORIGIN, 0, await at(2))
    behindItsBack(path, sql)
    expect(await codeOf(async () => store.swap(ORIGIN, 2, await at(3)))).toBe('STORE_NOT_A_STORE')
    expect(await codeOf(async () => store.read(ORIGIN))).toBe('STORE_NOT_A_STORE')
    await store.close()
  })

  test('a file that was rewritten by VACUUM is still the same store', async () => {
    const path = newPath()
    const store = SqliteWitnessStore.open(path)
    await store.swap(ORIGIN, 0, await at(2))
    behindItsBack(path, 'VACUUM')
    expect(await store.swap(ORIGIN, 2, await at(3))).toBe(true)
    await store.close()
  })
})

describe('a file of a release that kept no times', () => {
  const FORMER = `CREATE TABLE witness_checkpoint (
  origin TEXT NOT NULL PRIMARY KEY,
  size INTEGER NOT NULL,
  root BLOB NOT NULL,
  note TEXT NOT NULL
) STRICT, WITHOUT ROWID`

  async function formerStore(size = 7): Promise<string> {
    const path = newPath()
    const db = new Database(path)
    db.pragma('journal_mode = WAL')
    db.exec(FORMER)
    db.prepare('INSERT INTO witness_checkpoint VALUES (?, ?, ?, ?)').run(
      ORIGIN,
      size,
      log.root(size),
      await log.checkpoint(size),
    )
    db.close()
    return path
  }

  test('is taken over, once, with all that it says', async () => {
    const path = await formerStore()
    const stores = [SqliteWitnessStore.open(path), SqliteWitnessStore.open(path)]
    for (const store of stores) expect(await store.read(ORIGIN)).toEqual({ ...(await at(7)), time: 0 })
    expect(await stores[0]?.swap(ORIGIN, 7, await at(9))).toBe(true)
    for (const store of stores) await store.close()
    const store = SqliteWitnessStore.open(path)
    expect(await store.read(ORIGIN)).toEqual(await at(9))
    await store.close()
  })

  test.each<[string, string, string]>([
    ['with a trigger', 'CREATE TRIGGER t AFTER DELETE ON witness_checkpoint BEGIN SELECT 1; END', 'STORE_NOT_A_STORE'],
    ['with an index', 'CREATE INDEX i ON witness_checkpoint (size)', 'STORE_NOT_A_STORE'],
    [
      'with the table of this release next to it',
      'CREATE TABLE sudoagent_witness (\n  origin TEXT NOT NULL PRIMARY KEY,\n  size INTEGER NOT NULL,\n  root BLOB NOT NULL,\n  note TEXT NOT NULL,\n  time INTEGER NOT NULL\n) STRICT, WITHOUT ROWID',
      'STORE_NOT_A_STORE',
    ],
  ])('%s is refused, and left as it is', async (_, sql, code) => {
    const path = await formerStore()
    behindItsBack(path, sql)
    const before = readFileSync(path)
    expect(await codeOf(() => SqliteWitnessStore.open(path))).toBe(code)
    expect(readFileSync(path).equals(before)).toBe(true)
  })

  test('with a row that no witness wrote is noticed when the row is read', async () => {
    const path = await formerStore()
    behindItsBack(path, 'UPDATE witness_checkpoint SET size = 3')
    const store = SqliteWitnessStore.open(path)
    expect(await codeOf(async () => store.read(ORIGIN))).toBe('STORE_DAMAGED')
    await store.close()
  })
})
