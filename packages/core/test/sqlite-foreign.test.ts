// Tests approvals and budgets in a file that another program created, changes or removes. The store must refuse such a
// file instead of using its content.
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import { SqliteApprovalStore } from '../src/approval/sqlite-store.js'
import { SqliteBudget } from '../src/budget/sqlite.js'
import { temporaryPath } from './fixtures/temporary.js'

const LIMITS = { windowMs: 1_000_000, perAgent: 100 }
const charge = (n: number) => ({ requestId: `r${n}`, agentId: 'a', action: 'pay', cost: 1 })

interface Kind {
  readonly table: string
  open(path: string, options?: object): { use(n: number): Promise<unknown>; close(): Promise<void> }
}

const KINDS: readonly [string, Kind][] = [
  [
    'approvals',
    {
      table: 'sudoagent_approval',
      open: (path, options) => {
        const store = SqliteApprovalStore.open(path, options)
        return { use: () => store.list({}, new Date()), close: async () => store.close() }
      },
    },
  ],
  [
    'a budget',
    {
      table: 'sudoagent_budget_charge',
      open: (path, options) => {
        const store = SqliteBudget.open(path, LIMITS, options)
        return { use: (n) => store.reserve(charge(n), new Date()), close: () => store.close() }
      },
    },
  ],
]

/** Returns the code and message of the error that a store throws, or `accepted`. */
async function refusalOf(work: () => unknown): Promise<string> {
  try {
    await work()
    return 'accepted'
  } catch (error) {
    return `${(error as { code?: unknown }).code} ${(error as Error).message}`
  }
}

const change = (path: string, sql: string): void => {
  const db = new Database(path)
  db.unsafeMode().exec(sql)
  db.close()
}

describe.each(KINDS)('%s', (_, { table, open }) => {
  const OBJECTS: readonly [string, string][] = [
    ['a trigger', `CREATE TRIGGER t AFTER INSERT ON ${table} BEGIN DELETE FROM ${table}; END`],
    ['a trigger on update', `CREATE TRIGGER u BEFORE UPDATE ON ${table} BEGIN SELECT RAISE(IGNORE); END`],
    ['a view', 'CREATE VIEW v AS SELECT 1'],
    ['an index', `CREATE INDEX i ON ${table} (rowid, action)`.replace('rowid, ', '')],
    ['a partial index', `CREATE INDEX i ON ${table} (action) WHERE action > 'm'`],
    ['a table of somebody else', 'CREATE TABLE notes (text)'],
    ['a virtual table', 'CREATE VIRTUAL TABLE words USING fts5(text)'],
    ['a column more', `ALTER TABLE ${table} ADD COLUMN more TEXT`],
    ['a table of ours with another definition', 'CREATE TABLE sudoagent_x (n CHECK (n > 0))'],
    [
      'our table without its checks',
      `PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'NOT NULL', '') WHERE name = '${table}'`,
    ],
  ]

  test.each(OBJECTS)('with %s is refused, and left as it is', async (_name, sql) => {
    const path = temporaryPath('a.sqlite')
    await open(path).close()
    change(path, sql)
    const before = readFileSync(path)
    expect(await refusalOf(() => open(path))).toMatch(/^\w+_STORE_FAILED .*it contains the .*sudoagent did not create/)
    expect(readFileSync(path).equals(before)).toBe(true)
  })

  test.each(OBJECTS.slice(0, 6))('refuses the next call when %s was added while it is open', async (_name, sql) => {
    const path = temporaryPath('a.sqlite')
    const store = open(path)
    await store.use(1)
    change(path, sql)
    expect(await refusalOf(() => store.use(2))).toMatch(/^\w+_STORE_FAILED .*it contains the/)
    await store.close()
  })

  test('takes a plain table of a later release, and shares its file with the other store', async () => {
    const path = temporaryPath('a.sqlite')
    for (const [, kind] of KINDS) await kind.open(path).close()
    change(path, 'CREATE TABLE sudoagent_lease (n INTEGER PRIMARY KEY, text TEXT UNIQUE)')
    const store = open(path)
    await store.use(1)
    await store.close()
  })

  test.each<[string, (path: string) => void]>([
    ['was deleted', (path) => rmSync(path)],
    ['was moved away', (path) => renameSync(path, `${path}.old`)],
    ['was replaced', (path) => [renameSync(path, `${path}.old`), writeFileSync(path, readFileSync(`${path}.old`))]],
    ['lost its -wal', (path) => rmSync(`${path}-wal`)],
    ['was replaced by a link to itself', (path) => [renameSync(path, `${path}.old`), writeFileSync(path, '')]],
  ])('notices that its file %s', async (_name, take) => {
    const path = temporaryPath('a.sqlite')
    const store = open(path)
    await store.use(1)
    take(path)
    for (const n of [2, 3])
      expect(await refusalOf(() => store.use(n))).toMatch(/^\w+_STORE_FAILED .*(?:deleted|replaced)/)
    await store.close()
  })

  test.runIf(process.platform !== 'win32').each([0o666, 0o660, 0o620, 0o602])(
    'that other users can write to (mode %i) is refused unless that is asked for',
    async (mode) => {
      const path = temporaryPath('a.sqlite')
      writeFileSync(path, '')
      chmodSync(path, mode)
      expect(await refusalOf(() => open(path))).toMatch(/STORE_FAILED .*other users can write to it \(mode 0\d\d\d\)/)
      await open(path, { allowOtherWriters: true }).close()
      expect(await refusalOf(() => open(path, { allowOtherWriters: 'yes' }))).toMatch('must be true or false')
    },
  )

  test.runIf(process.platform !== 'win32')('in a folder where every user can replace it is refused', async () => {
    const path = join(temporaryPath('folder'), 'a.sqlite')
    mkdirSync(dirname(path))
    chmodSync(dirname(path), 0o777)
    expect(await refusalOf(() => open(path))).toMatch('every user can replace it')
    await open(path, { allowOtherWriters: true }).close()
    chmodSync(dirname(path), 0o1777)
    await open(path).close()
  })

  test('whose pages lead to one another is refused at once', async () => {
    const path = temporaryPath('a.sqlite')
    await open(path).close()
    const file = readFileSync(path)
    // Page 2, the root page of the first table, becomes an interior page that refers to itself.
    const size = file.readUInt16BE(16)
    file.fill(0, size, 2 * size)
    file[size] = 5
    file.writeUInt32BE(2, size + 8)
    writeFileSync(path, file)
    expect(await refusalOf(() => open(path))).toMatch(/STORE_FAILED .*page 2 is used twice/)
    expect(await refusalOf(() => SqliteApprovalStore.openExisting(path))).toMatch('page 2 is used twice')
  })
})
