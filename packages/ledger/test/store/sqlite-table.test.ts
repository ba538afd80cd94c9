import Database from 'better-sqlite3'
import { describe, expect, it, onTestFinished } from 'vitest'
import { CREATE_LEDGER_TABLE, findLedgerTable, hasOtherObjects, lastIssuedId } from '../../src/store/sqlite-table.js'
import { PYTHON_TABLE } from '../fixtures/ledger-file.js'

function database(sql: string): Database.Database {
  const db = new Database(':memory:')
  onTestFinished(() => void db.close())
  db.exec(sql)
  return db
}

const found = (sql: string): string => findLedgerTable(database(sql))

const COLUMNS =
  'id INTEGER PRIMARY KEY AUTOINCREMENT, entry_json TEXT NOT NULL, entry_hash TEXT NOT NULL, prev_entry_hash TEXT'

describe('findLedgerTable', () => {
  it.each([
    CREATE_LEDGER_TABLE,
    PYTHON_TABLE,
    `CREATE TABLE "ledger" (${COLUMNS})`,
    `CREATE TABLE [ledger](${COLUMNS})`,
    `create table ledger(${COLUMNS.toLowerCase().replaceAll(', ', '\n\t,')})`,
    `CREATE TABLE other (${COLUMNS}); ALTER TABLE other RENAME TO ledger`,
  ])('knows the table however it is spaced: %s', (sql) => expect(found(sql)).toBe('ledger'))

  it.each([
    `CREATE TABLE ledger (${COLUMNS}, more TEXT)`,
    `CREATE TABLE ledger (${COLUMNS.replace(' AUTOINCREMENT', '')})`,
    `CREATE TABLE ledger (${COLUMNS.replace('TEXT NOT NULL', 'TEXT')})`,
    `CREATE TABLE ledger (${COLUMNS} CHECK (1))`,
    `CREATE TABLE ledger (${COLUMNS} DEFAULT 'x')`,
    `CREATE TABLE ledger (${COLUMNS} COLLATE NOCASE)`,
    `CREATE TABLE ledger (${COLUMNS}) STRICT`,
    'CREATE TABLE LEDGER (x)',
    'CREATE TABLE ledger (idINTEGER PRIMARY KEY, entry_json TEXT NOT NULL, entry_hash TEXT NOT NULL, prev_entry_hash TEXT)',
    `CREATE TABLE t (${COLUMNS}); CREATE VIEW ledger AS SELECT * FROM t`,
    'CREATE TABLE ledger AS SELECT 1 AS id, 2 AS entry_json, 3 AS entry_hash, 4 AS prev_entry_hash',
  ])('knows that something else is none: %s', (sql) => expect(found(sql)).toBe('other'))

  it('finds nothing where there is nothing', () => {
    expect(found('CREATE TABLE notes (text)')).toBe('none')
  })
})

describe('lastIssuedId', () => {
  it('is the highest id ever given out', () => {
    expect(lastIssuedId(database(CREATE_LEDGER_TABLE))).toBe(0)
    const db = database(
      `${CREATE_LEDGER_TABLE}; INSERT INTO ledger VALUES (1, '', '', ''), (7, '', '', ''); DELETE FROM ledger`,
    )
    expect(lastIssuedId(db)).toBe(7)
  })

  it('throws where there is no such book', () => {
    expect(() => lastIssuedId(database('CREATE TABLE notes (text)'))).toThrow(
      expect.objectContaining({ code: 'LEDGER_DAMAGED' }),
    )
  })
})

describe('hasOtherObjects', () => {
  it('counts everything but the ledger and its book', () => {
    expect(hasOtherObjects(database(CREATE_LEDGER_TABLE))).toBe(false)
    expect(hasOtherObjects(database(`${CREATE_LEDGER_TABLE}; CREATE INDEX i ON ledger (entry_hash)`))).toBe(true)
  })
})
