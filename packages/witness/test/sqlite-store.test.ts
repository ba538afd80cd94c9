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
})
const newPath = (): string => join(temporaryFolder(), 'witness.sqlite')

/** Changes a database behind its store's back. */
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
  const TABLE = 'CREATE TABLE witness_checkpoint (origin TEXT NOT NULL PRIMARY KEY, size, root, note)'
  test.each([
    ["another application's", 'CREATE TABLE notes (text)'],
    ['a ledger', 'CREATE TABLE ledger (id INTEGER PRIMARY KEY AUTOINCREMENT, entry_json TEXT)'],
    ['a table of that name with other columns', TABLE],
    ['a view of that name', 'CREATE VIEW witness_checkpoint AS SELECT 1 AS origin, 2 AS size, 3 AS root, 4 AS note'],
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
    const trigger = 'CREATE TRIGGER t AFTER UPDATE ON witness_checkpoint BEGIN DELETE FROM witness_checkpoint; END'
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
    ['its size changed', (path) => behindItsBack(path, 'UPDATE witness_checkpoint SET size = 3')],
    ['its root changed', (path) => behindItsBack(path, 'UPDATE witness_checkpoint SET root = zeroblob(32)')],
    ['its note changed', (path) => behindItsBack(path, "UPDATE witness_checkpoint SET note = 'x'")],
    [
      'moved to another log',
      (path) =>
        behindItsBack(
          path,
          "INSERT INTO witness_checkpoint SELECT 'x', size, root, note FROM witness_checkpoint",
          "DELETE FROM witness_checkpoint WHERE origin <> 'x'",
          `UPDATE witness_checkpoint SET origin = '${ORIGIN}', note = replace(note, 'example.com', 'example.org')`,
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
    ['a trigger', 'CREATE TRIGGER t AFTER UPDATE ON witness_checkpoint BEGIN DELETE FROM witness_checkpoint; END'],
    ['an index', 'CREATE INDEX i ON witness_checkpoint (size)'],
    ['a view', 'CREATE VIEW v AS SELECT 1'],
    ['a table', 'CREATE TABLE sudoagent_more (x)'],
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
