import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import { hintOf, openDatabase, reasonOf, transact } from '../src/sqlite-file.js'
import { temporaryPath } from './fixtures/temporary.js'

const SCHEMA = 'CREATE TABLE IF NOT EXISTS t (x INTEGER)'
const open = (path: string, options = {}) => openDatabase(path, options, SCHEMA, (db) => db)

describe('openDatabase', () => {
  test('WAL, FULL and no trusted schema, still after a write and after a reopen', () => {
    const path = temporaryPath('a.sqlite')
    for (let round = 0; round < 2; round++) {
      const db = open(path)
      db.exec('INSERT INTO t VALUES (1)')
      expect(db.pragma('journal_mode', { simple: true })).toBe('wal')
      expect(db.pragma('synchronous', { simple: true })).toBe(2)
      expect(db.pragma('trusted_schema', { simple: true })).toBe(0)
      expect(db.pragma('busy_timeout', { simple: true })).toBe(5_000)
      db.close()
    }
  })

  test('the file and its companions are the owner’s alone; an existing mode is left alone', () => {
    const path = temporaryPath('a.sqlite')
    const db = open(path)
    db.exec('INSERT INTO t VALUES (1)')
    for (const file of [path, `${path}-wal`, `${path}-shm`]) expect(statSync(file).mode & 0o777).toBe(0o600)
    db.close()
    chmodSync(path, 0o640)
    open(path).close()
    expect(statSync(path).mode & 0o777).toBe(0o640)
  })

  test.each(['', ':memory:', ' a.sqlite', 'a.sqlite ', ' :memory: ', 'a\0b', 7, 'x'.repeat(5_000)])(
    'the path %j is a TypeError',
    (path) => {
      expect(() => open(path as string)).toThrow(TypeError)
    },
  )

  test('unknown and wrong options are a TypeError, and no file appears', () => {
    const path = temporaryPath('a.sqlite')
    expect(() => open(path, { busyTimeout: 5 })).toThrow(/did you mean `busyTimeoutMs`/)
    for (const busyTimeoutMs of [-1, 1.5, 60_001, '5']) expect(() => open(path, { busyTimeoutMs })).toThrow(TypeError)
    expect(existsSync(path)).toBe(false)
  })

  test('what is no database throws and is left as it was', () => {
    const path = temporaryPath('a.sqlite')
    const bytes = Buffer.alloc(8_192, 0x5a)
    writeFileSync(path, bytes)
    expect(() => open(path)).toThrow()
    expect(readFileSync(path)).toEqual(bytes)
    const folder = temporaryPath('folder')
    mkdirSync(folder)
    expect(() => open(folder)).toThrow()
    expect(() => open(`${folder}/missing/a.sqlite`)).toThrow()
  })

  test('when its user fails the connection is closed', () => {
    let leaked: Database.Database | undefined
    const failing = () =>
      openDatabase(temporaryPath('a.sqlite'), {}, SCHEMA, (db) => {
        leaked = db
        throw new Error('no')
      })
    expect(failing).toThrow('no')
    expect(leaked?.open).toBe(false)
  })

  test('a lock that is held is waited for, but not for ever', () => {
    const path = temporaryPath('a.sqlite')
    open(path).close()
    const holder = new Database(path)
    holder.exec('BEGIN IMMEDIATE')
    const start = performance.now()
    expect(() => open(path, { busyTimeoutMs: 100 })).toThrow(/locked/)
    expect(performance.now() - start).toBeGreaterThan(80)
    holder.close()
  })
})

test('transact keeps all or nothing', () => {
  const db = open(temporaryPath('a.sqlite'))
  const failing = () =>
    transact(db, () => {
      db.exec('INSERT INTO t VALUES (1)')
      throw new Error('no')
    })
  expect(failing).toThrow('no')
  expect(db.prepare('SELECT count(*) FROM t').pluck().get()).toBe(0)
  expect(transact(db, () => db.prepare('INSERT INTO t VALUES (2)').run().changes)).toBe(1)
  db.close()
})

test('transact does not run its work again when that says that something is busy', () => {
  openDatabase(temporaryPath('some.sqlite'), {}, '', (db) => {
    let runs = 0
    const work = (): never => {
      runs += 1
      throw Object.assign(new Error('busy'), { code: 'SQLITE_BUSY' })
    }
    expect(() => transact(db, work)).toThrow('busy')
    expect(runs).toBe(1)
    expect(db.inTransaction).toBe(false)
    db.close()
  })
})

test('transact has the write lock from its first moment: nobody can write between its reading and its writing', () => {
  const path = temporaryPath('a.sqlite')
  const [first, second] = [open(path), open(path, { busyTimeoutMs: 0 })]
  transact(first, () => {
    first.prepare('SELECT count(*) FROM t').get()
    expect(() => transact(second, () => undefined)).toThrow(/locked/)
  })
  expect(transact(second, () => 'free')).toBe('free')
  first.close()
  second.close()
})

test('reasonOf is one safe line', () => {
  expect(reasonOf(new Error('malformed schema (a\u001b[2Jb)\nx'))).toBe('malformed schema (a\\u{1b}[2Jb)\\u{a}x')
  expect(reasonOf('text')).toBe('unknown error')
  const unbuilt = new Error('Could not locate the bindings file. Tried:\n → /a\n → /b')
  expect(reasonOf(unbuilt)).toMatch(/^the native module of better-sqlite3 cannot be loaded: [^\n]*$/)
  expect(hintOf(unbuilt)).toMatch(/^[^\n]*run `npm rebuild better-sqlite3`[^\n]*$/)
  expect(hintOf(new Error('other'))).toBeUndefined()
})
