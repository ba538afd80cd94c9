// Runs the same tests on every SQLite store. Each store must refuse a file that another user prepared, changes or
// removes. If the native module cannot be loaded, the error must say so. The table of stores lists every store, so that
// none is omitted. Each store also has its own tests.
import { execFileSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SqliteApprovalStore, SqliteBudget } from '@sudoagent/core/sqlite'
import { SqliteLedger } from '@sudoagent/ledger/sqlite'
import { SqliteToolPins } from '@sudoagent/mcp/sqlite'
import { SqliteWitnessStore } from '@sudoagent/witness/sqlite'
import Database from 'better-sqlite3'
import { describe, expect, it, onTestFinished } from 'vitest'
import { decisionDraft } from './support/draft.js'

interface Opened {
  /** Calls one method that needs the file. */
  use(): Promise<unknown>
  close(): void | Promise<void>
}

interface Kind {
  /** The module to import in the scripts below. */
  readonly module: string
  readonly name: string
  readonly table: string
  open(path: string): Opened
}

const KINDS: readonly Kind[] = [
  {
    module: '@sudoagent/ledger/sqlite',
    name: 'SqliteLedger',
    table: 'ledger',
    open: (path) => {
      const ledger = SqliteLedger.open(path)
      return { use: () => ledger.append(decisionDraft({ n: 1 })), close: () => ledger.close() }
    },
  },
  {
    module: '@sudoagent/core/sqlite',
    name: 'SqliteApprovalStore',
    table: 'sudoagent_approval',
    open: (path) => {
      const store = SqliteApprovalStore.open(path)
      return { use: () => store.list({}, new Date()), close: () => store.close() }
    },
  },
  {
    module: '@sudoagent/core/sqlite',
    name: 'SqliteBudget',
    table: 'sudoagent_budget_charge',
    open: (path) => {
      const budget = SqliteBudget.open(path, { windowMs: 1_000, perAgent: 5 })
      const charge = { requestId: 'r', agentId: 'a', action: 'pay', cost: 1 }
      return { use: () => budget.reserve(charge, new Date()), close: () => budget.close() }
    },
  },
  {
    module: '@sudoagent/mcp/sqlite',
    name: 'SqliteToolPins',
    table: 'sudoagent_mcp_tool',
    open: (path) => {
      const pins = SqliteToolPins.open(path)
      return { use: async () => pins.list(), close: () => pins.close() }
    },
  },
  {
    module: '@sudoagent/witness/sqlite',
    name: 'SqliteWitnessStore',
    table: 'sudoagent_witness',
    open: (path) => {
      const store = SqliteWitnessStore.open(path)
      return { use: () => store.read('log.example'), close: () => store.close() }
    },
  },
]

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sudoagent-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const newPath = (): string => join(temporaryFolder(), 'store.sqlite')

const change = (path: string, sql: string): void => {
  const db = new Database(path)
  db.unsafeMode().exec(sql)
  db.close()
}

/**
 * Returns the message of the error with which a store refuses a file. The error must be one of ours, with a message of
 * one line.
 */
async function refusalOf(work: () => unknown): Promise<string> {
  try {
    await work()
    return 'accepted'
  } catch (error) {
    expect((error as Error).message).not.toMatch(/\n/)
    return (error as Error).message
  }
}

/** Overwrites the root page of the store's table with an interior page that points to itself. */
function looped(path: string, table: string): void {
  const db = new Database(path)
  const root = db.prepare('SELECT rootpage FROM sqlite_schema WHERE name = ?').pluck().get(table) as number
  db.close()
  const file = readFileSync(path)
  const size = file.readUInt16BE(16)
  const start = (root - 1) * size
  const type = file[start] === 13 ? 5 : 2
  file.fill(0, start, start + size)
  file[start] = type
  file.writeUInt32BE(root, start + 8)
  writeFileSync(path, file)
}

/** Builds a rollback journal that has no records and names a super-journal. */
function journalNaming(file: string, pageSize: number): Buffer {
  const magic = Buffer.from('d9d505f920a163d7', 'hex')
  const header = Buffer.alloc(512)
  magic.copy(header)
  for (const [n, value] of [0, 7, 1, 512, pageSize].entries()) header.writeUInt32BE(value, 8 + 4 * n)
  const name = Buffer.from(file)
  const end = Buffer.alloc(12)
  end.writeUInt32BE(2 ** 30 / pageSize + 1, 0)
  end.writeUInt32BE(name.length, 4)
  end.writeInt32BE(
    name.reduce((sum, byte) => (sum + ((byte << 24) >> 24)) | 0, 0),
    8,
  )
  return Buffer.concat([header, end.subarray(0, 4), name, end.subarray(4), magic])
}

describe.each(KINDS)('$name', ({ module, name, table, open }) => {
  const made = async (): Promise<string> => {
    const path = newPath()
    const store = open(path)
    await store.use()
    await store.close()
    return path
  }

  it.each([
    ['a trigger', `CREATE TRIGGER t AFTER INSERT ON ${table} BEGIN DELETE FROM ${table}; END`],
    ['a view', 'CREATE VIEW v AS SELECT 1'],
    ['an index', `CREATE INDEX i ON ${table} (1)`],
    ['a virtual table', 'CREATE VIRTUAL TABLE words USING fts5(text)'],
    ['a table of another application', 'CREATE TABLE notes (text)'],
    ['a column more', `ALTER TABLE ${table} ADD COLUMN more TEXT`],
  ])('refuses a file with %s, before and while it is open', async (_, sql) => {
    const path = await made()
    const store = open(path)
    change(path, sql)
    expect(await refusalOf(() => store.use())).toMatch(/which sudoagent did not create|has a different object named/)
    await store.close()
    const before = readFileSync(path)
    expect(await refusalOf(() => open(path))).toMatch(/which sudoagent did not create|has a different object named/)
    expect(readFileSync(path).equals(before)).toBe(true)
  })

  it('refuses a table whose pages lead to themselves', async () => {
    const path = await made()
    looped(path, table)
    expect(await refusalOf(() => open(path))).toMatch(/is used twice/)
  })

  it.each(['by its name', 'through a link'])('refuses damage that only the write-ahead log has: %s', async (how) => {
    const source = await made()
    const db = new Database(source)
    db.unsafeMode()
    db.pragma('journal_mode = WAL')
    db.exec(`PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = 1 WHERE name = '${table}'`)
    const path = newPath()
    for (const suffix of ['', '-wal']) copyFileSync(`${source}${suffix}`, `${path}${suffix}`)
    db.close()
    const link = join(temporaryFolder(), 'link.sqlite')
    symlinkSync(path, link)
    expect(await refusalOf(() => open(how === 'through a link' ? link : path))).toMatch(/page 1 is used twice/)
  })

  it('does not have SQLite play back a journal that names a file to delete', async () => {
    const path = await made()
    const victim = join(temporaryFolder(), 'diary.txt')
    writeFileSync(victim, 'dear diary\n')
    writeFileSync(`${path}-journal`, journalNaming(victim, readFileSync(path).readUInt16BE(16)))
    expect(await refusalOf(() => open(path))).toMatch(/its rollback journal was not written by sudoagent/)
    expect(existsSync(victim)).toBe(true)
  })

  it('refuses a symbolic link to nothing, and makes no file where it leads', async () => {
    const folder = temporaryFolder()
    symlinkSync(join(folder, 'elsewhere'), join(folder, 'link.sqlite'))
    expect(await refusalOf(() => open(join(folder, 'link.sqlite')))).toMatch(/does not exist/)
    expect(existsSync(join(folder, 'elsewhere'))).toBe(false)
  })

  it('works through a symbolic link', async () => {
    const path = await made()
    const link = join(temporaryFolder(), 'link.sqlite')
    symlinkSync(path, link)
    const store = open(link)
    await store.use()
    await store.close()
  })

  it.each<[string, (path: string) => void]>([
    ['was deleted', (path) => rmSync(path)],
    ['was moved away', (path) => renameSync(path, `${path}.old`)],
    ['was replaced by a copy', (path) => [renameSync(path, `${path}.old`), copyFileSync(`${path}.old`, path)]],
  ])('notices that its file %s while it was open', async (_, take) => {
    const path = await made()
    const store = open(path)
    await store.use()
    take(path)
    for (let n = 0; n < 2; n += 1) expect(await refusalOf(() => store.use())).toMatch(/was (?:deleted|replaced)/)
    await store.close()
  })

  it.each([
    [
      'is not built',
      "new Error('Could not locate the bindings file. Tried:\\n x')",
      'it was installed without being built',
    ],
    [
      'is of another Node',
      "Object.assign(new Error('NODE_MODULE_VERSION 127'), { code: 'ERR_DLOPEN_FAILED' })",
      'it was built for a version of Node other than',
    ],
  ])('says in one line that the native module %s, and what to do', (_, error, reason) => {
    const folder = temporaryFolder()
    const hook = join(folder, 'hook.cjs')
    writeFileSync(
      hook,
      `const Module = require('node:module')
       const load = Module._load
       Module._load = function (name, ...rest) {
         if (name === 'bindings' || /better_sqlite3\\.node$/.test(name)) throw ${error}
         return load.call(this, name, ...rest)
       }`,
    )
    const script = `import { ${name} } from '${module}'
      try {
        ${name}.open(${JSON.stringify(join(folder, 'store.sqlite'))}${name === 'SqliteBudget' ? ', { windowMs: 1, perAgent: 1 }' : ''})
      } catch ({ message, hint = '' }) {
        console.log(JSON.stringify([message, hint]))
      }`
    const flags = ['--require', hook, '--input-type=module', '--eval', script]
    const said = execFileSync(process.execPath, flags, { encoding: 'utf8', cwd: import.meta.dirname })
    const [message = '', hint = ''] = JSON.parse(said) as string[]
    expect(message).toContain(`the native module of better-sqlite3 cannot be loaded: ${reason}`)
    expect(`${message} ${hint}`).toContain('npm rebuild better-sqlite3')
    expect(`${message}${hint}`).not.toMatch(/\n/)
  })
})
