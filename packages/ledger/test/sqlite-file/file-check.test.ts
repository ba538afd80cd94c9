// Tests that the check has no findings for databases that SQLite wrote, whatever their structure, and that it finds a
// page with two parents anywhere in a file. Over 300 lines because each case creates its own file.
import {
  closeSync,
  copyFileSync,
  existsSync,
  openSync,
  readFileSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it, onTestFinished } from 'vitest'
import { DamagedFile, FileCheck, requireSoundFile } from '../../src/sqlite-file/file-check.js'
import { temporaryFolder } from '../fixtures/temporary.js'

interface Shape {
  readonly pragmas?: readonly string[]
  readonly sql?: (db: Database.Database) => void
}

function database({ pragmas = [], sql = fill }: Shape = {}): { readonly path: string; readonly db: Database.Database } {
  const path = join(temporaryFolder(), 'some.sqlite')
  const db = new Database(path)
  onTestFinished(() => void db.close())
  for (const pragma of pragmas) db.pragma(pragma)
  sql(db)
  return { path, db }
}

/** Creates tables and indexes of every kind, with and without overflow pages. */
function fill(db: Database.Database): void {
  db.exec(`CREATE TABLE a (id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT); CREATE INDEX i ON a (text);
    CREATE TABLE b (k TEXT PRIMARY KEY, text TEXT) WITHOUT ROWID; CREATE TABLE empty (x); CREATE VIEW v AS SELECT 1;
    CREATE TRIGGER t AFTER INSERT ON empty BEGIN SELECT 1; END; CREATE VIRTUAL TABLE words USING fts5(text)`)
  const a = db.prepare('INSERT INTO a (id, text) VALUES (?, ?)')
  const b = db.prepare('INSERT INTO b VALUES (?, ?)')
  db.transaction(() => {
    for (let n = -200; n < 800; n += 1) {
      a.run(n, 'x'.repeat(n % 50 === 0 ? 20_000 + n : 30 + (n & 63)))
      b.run(`${'k'.repeat(n % 100 === 0 ? 3_000 : 10)}${n}`, 'y'.repeat(40))
    }
    a.run(2n ** 62n, 'far')
    db.prepare('INSERT INTO words VALUES (?)').run('some words')
  })()
}

const LONG_SQL = `CREATE TABLE long (${Array.from({ length: 900 }, (_, n) => `column_number_${n} TEXT`).join(', ')})`

describe('a sound database', () => {
  it.each<[string, Shape]>([
    ['pages of 512 bytes', { pragmas: ['page_size = 512'] }],
    ['pages of 1024 bytes', { pragmas: ['page_size = 1024'] }],
    ['pages of 65536 bytes', { pragmas: ['page_size = 65536'] }],
    ['auto-vacuum', { pragmas: ['page_size = 512', 'auto_vacuum = FULL'] }],
    [
      'incremental vacuum and a free list',
      { pragmas: ['auto_vacuum = INCREMENTAL'], sql: (db) => [fill(db), db.exec('DELETE FROM a WHERE id > 100')] },
    ],
    [
      'a free list of many trunk pages',
      { pragmas: ['page_size = 512'], sql: (db) => [fill(db), db.exec('DELETE FROM a; DROP TABLE b')] },
    ],
    [
      'a schema of many pages',
      {
        pragmas: ['page_size = 512'],
        sql: (db) => Array.from({ length: 200 }, (_, n) => db.exec(`CREATE TABLE t${n} (x UNIQUE)`)),
      },
    ],
    ['a schema row with overflow pages', { pragmas: ['page_size = 512'], sql: (db) => db.exec(LONG_SQL) }],
    ['nothing in it', { sql: () => undefined }],
    ['an empty schema', { sql: (db) => db.exec('CREATE TABLE t (x); DROP TABLE t') }],
    ['a write-ahead log that was not checkpointed', { pragmas: ['journal_mode = WAL', 'wal_autocheckpoint = 0'] }],
    [
      'a log over an older file',
      {
        sql: (db) => [
          db.pragma('journal_mode = WAL'),
          fill(db),
          db.pragma('wal_checkpoint(TRUNCATE)'),
          db.exec('DELETE FROM a WHERE id > 300; VACUUM; INSERT INTO b VALUES (1, 2)'),
        ],
      },
    ],
    [
      'a log that was begun again',
      {
        sql: (db) => [
          db.pragma('journal_mode = WAL'),
          fill(db),
          db.pragma('wal_checkpoint(PASSIVE)'),
          db.exec('INSERT INTO b VALUES (1, 2)'),
        ],
      },
    ],
  ])('is sound: %s', (_, shape) => {
    const { path } = database(shape)
    requireSoundFile(path)
    const check = FileCheck.begin(path, 0)
    check.close()
  })

  it('is sound while a writer checkpoints all the time', () => {
    const { path, db } = database({ pragmas: ['page_size = 512', 'journal_mode = WAL'] })
    for (let n = 0; n < 60; n += 1) {
      db.exec(`INSERT INTO a (text) VALUES (hex(randomblob(${100 + n * 50}))); DELETE FROM a WHERE id % 61 = ${n}`)
      db.pragma(n % 3 === 0 ? 'wal_checkpoint(TRUNCATE)' : 'wal_checkpoint(PASSIVE)')
      requireSoundFile(path)
    }
  })
})

describe('a write-ahead log without frames is no damage', () => {
  const withLog = (change: (log: Buffer) => Buffer): string => {
    const { path } = database({ pragmas: ['page_size = 512', 'journal_mode = WAL', 'wal_autocheckpoint = 0'] })
    const copy = join(temporaryFolder(), 'copy.sqlite')
    copyFileSync(path, copy)
    writeFileSync(`${copy}-wal`, change(readFileSync(`${path}-wal`)))
    return copy
  }
  it.each<[string, (log: Buffer) => Buffer]>([
    ['empty', () => Buffer.alloc(0)],
    ['shorter than its header', (log) => log.subarray(0, 31)],
    ['zeros', (log) => Buffer.alloc(log.length)],
    ['without the magic number', (log) => Buffer.concat([Buffer.alloc(4), log.subarray(4)])],
    ['zeros behind commits', (log) => Buffer.concat([log, Buffer.alloc(5_000)])],
    ['zeros from the middle of a frame', (log) => Buffer.from(log).fill(0, log.length - 300)],
    ['random bytes behind commits', (log) => Buffer.concat([log, Buffer.alloc(4_096, 0xa5)])],
    ['cut in a frame', (log) => log.subarray(0, log.length - 100)],
    ['a changed byte in the middle', (log) => Buffer.from(log).fill(1, log.length >> 1, (log.length >> 1) + 1)],
  ])('%s', (_, change) => {
    const path = withLog(change)
    requireSoundFile(path)
    const db = new Database(path)
    expect(db.pragma('quick_check', { simple: true })).toBe('ok')
    db.close()
  })
})

describe('a damaged database', () => {
  /** Writes a database file, and applies `change`, which receives the root pages by name. */
  function spoiled(
    change: (file: Buffer, root: (name: string) => number, pageSize: number) => void,
    pragmas: readonly string[] = [],
  ): string {
    const { path, db } = database({
      pragmas: ['page_size = 1024', ...pragmas],
      sql: (it) => [
        fill(it),
        it.exec('CREATE TABLE gone (x); INSERT INTO gone VALUES (zeroblob(90000)); DELETE FROM gone'),
      ],
    })
    const roots = new Map(db.prepare('SELECT name, rootpage FROM sqlite_schema').raw().all() as [string, number][])
    db.close()
    const file = readFileSync(path)
    change(file, (name) => roots.get(name) ?? 0, 1024)
    writeFileSync(path, file)
    return path
  }
  const pageOf = (file: Buffer, page: number): Buffer => file.subarray((page - 1) * 1024, page * 1024)
  const cellOf = (page: Buffer, n: number): number =>
    page.readUInt16BE((page[0] === 5 || page[0] === 2 ? 12 : 8) + 2 * n)

  it.each<[string, string, (file: Buffer, root: (name: string) => number) => void]>([
    [
      'a table with one child twice',
      'used twice',
      (file, root) => {
        const page = pageOf(file, root('a'))
        page.writeUInt32BE(page.readUInt32BE(cellOf(page, 0)), cellOf(page, 1))
      },
    ],
    [
      'a child that is its parent',
      'used twice',
      (file, root) => {
        const page = pageOf(file, root('a'))
        page.writeUInt32BE(root('a'), 8)
      },
    ],
    [
      'an index with a child of a table',
      'used twice|belongs to',
      (file, root) => {
        pageOf(file, root('i')).writeUInt32BE(root('empty'), 8)
      },
    ],
    [
      'two tables with one root',
      'used twice',
      (file, root) => {
        // In a schema row, the root page is a one-byte number after the names.
        for (let at = file.indexOf('tableemptyempty'); at !== -1; at = file.indexOf('tableemptyempty', at + 1))
          file[at + 15] = root('a')
      },
    ],
    [
      'an overflow chain that leads back',
      'used twice',
      (file, root) => {
        const first = leafOf(file, root('a'))
        const overflow = overflowIn(first)
        pageOf(file, overflow).writeUInt32BE(overflow, 0)
      },
    ],
    [
      'an overflow chain into a table',
      'used twice|leads to page',
      (file, root) => {
        pageOf(file, overflowIn(leafOf(file, root('a')))).writeUInt32BE(root('empty'), 0)
      },
    ],
    [
      'an overflow chain beyond the file',
      'leads to page',
      (file, root) => {
        pageOf(file, overflowIn(leafOf(file, root('a')))).writeUInt32BE(4_000_000_000, 0)
      },
    ],
    ['a free list that leads into a table', 'used twice', (file, root) => file.writeUInt32BE(root('a'), 32)],
    [
      'a free list in a circle',
      'used twice',
      (file) => {
        const trunk = file.readUInt32BE(32)
        pageOf(file, trunk).writeUInt32BE(trunk, 0)
      },
    ],
    [
      'a free page twice',
      'used twice',
      (file) => {
        const trunk = pageOf(file, file.readUInt32BE(32))
        trunk.writeUInt32BE(trunk.readUInt32BE(8), 12)
      },
    ],
    [
      'a page of no kind',
      'is not a b-tree page',
      (file, root) => {
        pageOf(file, root('empty'))[0] = 7
      },
    ],
    ['more cells than fit', 'more cells', (file, root) => pageOf(file, root('a')).writeUInt16BE(60_000, 3)],
    [
      'an empty leaf',
      'is empty',
      (file, root) => {
        pageOf(file, pageOf(file, root('b')).readUInt32BE(8)).writeUInt16BE(0, 3)
      },
    ],
    ['a cell outside of its page', 'not in the page', (file, root) => pageOf(file, root('a')).writeUInt16BE(1_023, 12)],
    [
      'row ids out of order',
      'out of order',
      (file, root) => {
        const page = pageOf(file, root('a'))
        const [one, two] = [page.readUInt32BE(cellOf(page, 0)), page.readUInt32BE(cellOf(page, 1))]
        page.writeUInt32BE(two, cellOf(page, 0))
        page.writeUInt32BE(one, cellOf(page, 1))
      },
    ],
    ['a page number of 0', 'leads to page 0', (file, root) => pageOf(file, root('a')).writeUInt32BE(0, 8)],
  ])('is found: %s', (_, what, change) => {
    const path = spoiled(change)
    expect(() => requireSoundFile(path)).toThrow(new RegExp(what))
    expect(() => requireSoundFile(path)).toThrow(DamagedFile)
  })

  it('is found: a pointer-map page that a table uses', () => {
    const path = spoiled((file, root) => pageOf(file, root('a')).writeUInt32BE(2, 8), ['auto_vacuum = FULL'])
    expect(() => requireSoundFile(path)).toThrow('page 2 is used twice')
  })

  it('is found in the write-ahead log alone', () => {
    const { path, db } = database({ pragmas: ['page_size = 1024', 'journal_mode = WAL'] })
    db.pragma('wal_checkpoint(TRUNCATE)')
    const root = db.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'a'").pluck().get() as number
    const page = Buffer.from(pageOf(readFileSync(path), root))
    page.writeUInt32BE(root, 8)
    writeFileSync(`${path}-wal`, logOf(page, root, statSync(path).size / 1024))
    expect(() => requireSoundFile(path)).toThrow(`page ${root} is used twice`)
    // A frame does not belong to the database if its checksum is wrong or if no commit frame follows it.
    writeFileSync(`${path}-wal`, logOf(page, root, 0))
    requireSoundFile(path)
    const broken = logOf(page, root, statSync(path).size / 1024)
    broken[40] = 1
    writeFileSync(`${path}-wal`, broken)
    requireSoundFile(path)
  })

  it('takes time in proportion to the file, however often its pages lead to one', () => {
    // Each of the 64 interior pages refers only to the next page, as many times as possible.
    const pages = Array.from({ length: 64 }, (_, n) => interior(n + 3))
    const { path, db } = database({ pragmas: ['page_size = 4096'], sql: (it) => it.exec('CREATE TABLE a (x)') })
    db.close()
    const file = Buffer.concat([readFileSync(path).subarray(0, 4096), ...pages])
    file.writeUInt32BE(file.length / 4096, 28)
    writeFileSync(path, file)
    expect(() => requireSoundFile(path)).toThrow('leads to more pages than the file has')
  })

  it('is damage of the schema: the file must not be opened at all', () => {
    const { path, db } = database({
      pragmas: ['page_size = 512'],
      sql: (it) => Array.from({ length: 60 }, (_, n) => it.exec(`CREATE TABLE t${n} (x)`)),
    })
    db.close()
    const file = readFileSync(path)
    file.writeUInt32BE(file.readUInt32BE(file.readUInt16BE(112)), 108)
    writeFileSync(path, file)
    expect(() => FileCheck.begin(path, 0)).toThrow(DamagedFile)
  })
})

it('walks past the page with the lock bytes of a file above 1 GiB', () => {
  const { path, db } = database({ pragmas: ['page_size = 65536'], sql: (it) => it.exec('CREATE TABLE a (x)') })
  db.close()
  // The table's root page moves to a page after the lock bytes. The pages in between are a hole in the file.
  const file = readFileSync(path)
  const LOCK_PAGE = 16_385
  const at = file.subarray(0, 65_536).indexOf('tableaa')
  const row = file.subarray(at - 9, at)
  const fd = openSync(path, 'r+')
  const target = LOCK_PAGE + 1
  writeSync(fd, file.subarray(65_536, 131_072), 0, 65_536, (target - 1) * 65_536)
  const count = Buffer.alloc(4)
  count.writeUInt32BE(target)
  writeSync(fd, count, 0, 4, 28)
  closeSync(fd)
  expect([existsSync(path), row.length, statSync(path).size]).toEqual([true, 9, target * 65_536])
  requireSoundFile(path)
})

function interior(child: number): Buffer {
  const page = Buffer.alloc(4096)
  const cells = 400
  page[0] = 5
  page.writeUInt16BE(cells, 3)
  page.writeUInt32BE(child, 8)
  for (let n = 0; n < cells; n += 1) {
    const at = 4096 - 6 * (n + 1)
    page.writeUInt16BE(at, 12 + 2 * n)
    page.writeUInt32BE(child, at)
    page[at + 4] = 1
  }
  return page
}

function leafOf(file: Buffer, root: number): Buffer {
  let page = file.subarray((root - 1) * 1024, root * 1024)
  while (page[0] === 5) {
    const child = page.readUInt32BE(page.readUInt16BE(12))
    page = file.subarray((child - 1) * 1024, child * 1024)
  }
  return page
}

/**
 * Returns the page number of the first overflow page of a leaf whose rows have several kilobytes. The last four bytes
 * of a cell with overflow contain this number.
 */
function overflowIn(leaf: Buffer): number {
  for (let n = 0; n < leaf.readUInt16BE(3); n += 1) {
    const at = leaf.readUInt16BE(8 + 2 * n)
    let size = 0
    let next = at
    for (; ; next += 1) {
      size = size * 128 + ((leaf[next] ?? 0) & 0x7f)
      if ((leaf[next] ?? 0) < 0x80) break
    }
    if (size < 1_000) continue
    next += 1
    while ((leaf[next] ?? 0) >= 0x80) next += 1
    next += 1
    const min = Math.floor(((1024 - 12) * 32) / 255) - 23
    const some = min + ((size - min) % 1020)
    return leaf.readUInt32BE(next + (some <= 1024 - 35 ? some : min))
  }
  throw new Error('no row with overflow pages')
}

/** Returns a write-ahead log with one frame. */
function logOf(page: Buffer, number: number, pagesAfter: number): Buffer {
  const log = Buffer.alloc(32 + 24 + page.length)
  log.writeUInt32BE(0x377f0683, 0)
  log.writeUInt32BE(3_007_000, 4)
  log.writeUInt32BE(page.length, 8)
  log.writeUInt32BE(7, 16)
  let [one, two] = [0, 0]
  const add = (bytes: Buffer): void => {
    for (let at = 0; at < bytes.length; at += 8) {
      one = (one + bytes.readInt32BE(at) + two) | 0
      two = (two + bytes.readInt32BE(at + 4) + one) | 0
    }
  }
  const sign = (at: number): void => {
    log.writeInt32BE(one, at)
    log.writeInt32BE(two, at + 4)
  }
  add(log.subarray(0, 24))
  sign(24)
  log.writeUInt32BE(number, 32)
  log.writeUInt32BE(pagesAfter, 36)
  log.writeUInt32BE(7, 40)
  page.copy(log, 56)
  add(log.subarray(32, 40))
  add(page)
  sign(48)
  return log
}
