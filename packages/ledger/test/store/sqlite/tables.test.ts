import Database from 'better-sqlite3'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  CREATE_LEDGER_TABLE,
  EVIDENCE_TABLES,
  findLedgerTable,
  foreignObjectsOf,
  lastIssuedId,
} from '../../../src/store/sqlite/tables.js'
import { PYTHON_TABLE } from '../../fixtures/ledger-file.js'

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

describe('foreignObjectsOf', () => {
  const tables = [CREATE_LEDGER_TABLE, ...EVIDENCE_TABLES.map(({ sql }) => sql)].join(';')
  const kinds = (sql: string): string[] =>
    foreignObjectsOf(database(`${tables}; ${sql}`)).map(({ kind, what, drop }) => `${kind}: ${what}: ${drop}`)

  it('lists nothing in a ledger of ours', () => expect(kinds('')).toEqual([]))

  it.each<[string, string[]]>([
    ['CREATE INDEX by_hash ON ledger (entry_hash)', ['operator: the index `by_hash`: DROP INDEX "by_hash"']],
    ['CREATE UNIQUE INDEX "a""b" ON sudoagent_head (size)', ['operator: the index `a"b`: DROP INDEX "a""b"']],
    ['CREATE INDEX i ON ledger (length(entry_json)) WHERE id > 3', ['operator: the index `i`: DROP INDEX "i"']],
    ['CREATE TABLE notes (text UNIQUE)', ['operator: the table `notes`: DROP TABLE "notes"']],
    ['CREATE TABLE notes (n INTEGER PRIMARY KEY) WITHOUT ROWID', ['operator: the table `notes`: DROP TABLE "notes"']],
    [
      'ANALYZE',
      ['sqlite_stat1', 'sqlite_stat4'].map((name) => `operator: the table \`${name}\`: DROP TABLE "${name}"`),
    ],
    [
      'CREATE TABLE sudoagent_later (n INTEGER PRIMARY KEY, text TEXT UNIQUE)',
      ['newer: the table `sudoagent_later`: DROP TABLE "sudoagent_later"'],
    ],
    ['CREATE TRIGGER t AFTER INSERT ON ledger BEGIN SELECT 1; END', ['hostile: the trigger `t`: DROP TRIGGER "t"']],
    ['CREATE VIEW v AS SELECT 1', ['hostile: the view `v`: DROP VIEW "v"']],
    ['CREATE VIEW sudoagent_v AS SELECT 1', ['hostile: the view `sudoagent_v`: DROP VIEW "sudoagent_v"']],
    ['CREATE INDEX sudoagent_i ON ledger (id)', ['hostile: the index `sudoagent_i`: DROP INDEX "sudoagent_i"']],
    ['CREATE TABLE Sudoagent_Head2 (x)', ['hostile: the table `Sudoagent_Head2`: DROP TABLE "Sudoagent_Head2"']],
    ['CREATE TABLE sudoagent_x (n CHECK (n > 1))', ['hostile: the table `sudoagent_x`: DROP TABLE "sudoagent_x"']],
    ['CREATE TABLE sudoagent_x (n, m AS (n + 1))', ['hostile: the table `sudoagent_x`: DROP TABLE "sudoagent_x"']],
    [
      'CREATE TABLE sudoagent_x (n, m INT GENERATED ALWAYS AS (n) STORED)',
      ['hostile: the table `sudoagent_x`: DROP TABLE "sudoagent_x"'],
    ],
    [
      'CREATE TABLE witness_checkpoint (origin)',
      ['hostile: the table `witness_checkpoint`: DROP TABLE "witness_checkpoint"'],
    ],
    [
      'ALTER TABLE sudoagent_head ADD COLUMN later TEXT',
      ['hostile: the table `sudoagent_head`: DROP TABLE "sudoagent_head"'],
    ],
    [
      'DROP TABLE sudoagent_tile; CREATE INDEX sudoagent_tile ON ledger (id)',
      ['hostile: the index `sudoagent_tile`: DROP INDEX "sudoagent_tile"'],
    ],
  ])('tells what may be there from what must not: %s', (sql, expected) => expect(kinds(sql)).toEqual(expected))

  it('takes a virtual table with a name of ours for something else, whatever its module keeps', () => {
    expect(kinds('CREATE VIRTUAL TABLE sudoagent_x USING fts5(a)')).toContain(
      'hostile: the table `sudoagent_x`: DROP TABLE "sudoagent_x"',
    )
  })

  it('lists a hostile object behind any number of others, and no more than twenty', () => {
    const many = Array.from({ length: 60 }, (_, n) => `CREATE TABLE t${n} (x)`).join(';')
    const found = kinds(`${many}; CREATE VIEW v AS SELECT 1`)
    expect([found.length, found[0]]).toEqual([20, 'hostile: the view `v`: DROP VIEW "v"'])
  })

  it('prints no control characters of a name', () => {
    expect(kinds('CREATE TABLE "a\u001b[2J" (x)')).toEqual([expect.not.stringMatching(/\p{Cc}/u)])
  })
})
