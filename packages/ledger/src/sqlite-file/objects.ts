// What a SQLite file declares besides our own tables. A file that somebody else prepared may bring triggers that change what is written, views
// that run when they are read, indexes whose content differs from their table, or something else under one of our names.
//
//   type   name           sql                                        verdict
//   table  ledger         CREATE TABLE ledger (id INTEGER …)         ours: the caller knows the exact text
//   table  sudoagent_new  CREATE TABLE sudoagent_new (n INTEGER)     newer: a plain table of a later release
//   index  by_hash        CREATE INDEX by_hash ON ledger (…)         operator: harmless where statements say NOT INDEXED
//   trigger t             CREATE TRIGGER t AFTER INSERT ON ledger …  hostile: it changes what is written

import { printable } from '@sudoagent/crypto'

/**
 * What is used of a connection of better-sqlite3. The type is not its own: our declarations are read where `@types/better-sqlite3` is not
 * installed.
 */
export interface SqliteConnection {
  prepare(sql: string): {
    iterate(): IterableIterator<unknown>
    pluck(): { get(): unknown }
  }
}

/** An object that the caller makes. */
export interface OwnObject {
  readonly type: 'table' | 'index'
  readonly name: string
  /** Its definition, as SQLite keeps it. */
  readonly sql: string | RegExp
}

/** A row of `sqlite_schema`; a file may hold anything in its columns. */
interface SchemaObject {
  readonly type: unknown
  readonly name: unknown
  /** Cut to `SQL_LENGTH_MAX` characters; null for an index that SQLite made itself. */
  readonly sql: unknown
}

/** An object that is not ours. */
export interface ForeignObject {
  /**
   * `hostile`: a trigger, a view, or something else under a name of ours. `operator`: an index or table that the owner of the file may have made.
   * `newer`: a plain table with a name of ours that this release does not know.
   */
  readonly kind: 'hostile' | 'operator' | 'newer'
  /** What and which, in words, safe to print: the trigger `t`. */
  readonly what: string
  /** The statement that removes it. */
  readonly drop: string
}

/** Longest definition that is looked at; the longest of ours has 500 characters. */
export const SQL_LENGTH_MAX = 4096

/** Foreign objects that are listed; a file may have any number of them. */
const LISTED_MAX = 20

const NAME_LENGTH_MAX = 256

const SELECT_OBJECTS = `SELECT substr(type, 1, 16) AS type, substr(name, 1, ${NAME_LENGTH_MAX}) AS name,
  substr(sql, 1, ${SQL_LENGTH_MAX}) AS sql FROM sqlite_schema`

/** SQLite's record of the highest ids; present in every file that has a table with AUTOINCREMENT. */
const SEQUENCE_TABLE = 'CREATE TABLE sqlite_sequence(name,seq)'

const NAME_OF_OURS = /^(?:ledger$|sudoagent_|witness_checkpoint$)/i

const NAME_OF_A_LATER_RELEASE = /^sudoagent_[a-z0-9_]+$/

// A word in a comment, a string or a quoted name counts as well: a table that is not known to be plain is not plain.
const NOT_PLAIN = /\b(?:check|generated|as)\b/i

/**
 * Lists what is neither ours nor SQLite's own, at most 20 objects; hostile ones are never the ones left out.
 *
 * @param own - what the caller makes; each may be missing, and none of the names may stand for anything else
 * @throws SqliteError when the schema cannot be read
 * @example
 * foreignObjects(db, [{ type: 'table', name: 't', sql: 'CREATE TABLE t (x)' }])
 */
export function foreignObjects(db: SqliteConnection, own: readonly OwnObject[]): readonly ForeignObject[] {
  const ownNames = new Map(own.map((object) => [object.name.toLowerCase(), object]))
  const hostile: ForeignObject[] = []
  const others: ForeignObject[] = []
  for (const object of db.prepare(SELECT_OBJECTS).iterate() as IterableIterator<SchemaObject>) {
    const known = ownNames.get(String(object.name).toLowerCase())
    const kind = known === undefined ? kindOf(object) : isOwn(object, known) ? null : 'hostile'
    const list = kind === 'hostile' ? hostile : others
    if (kind !== null && list.length < LISTED_MAX) list.push({ kind, ...describe(object) })
  }
  return [...hostile, ...others].slice(0, LISTED_MAX)
}

function isOwn({ type, name, sql }: SchemaObject, own: OwnObject): boolean {
  if (type !== own.type || typeof sql !== 'string') return false
  return typeof own.sql === 'string' ? name === own.name && sql === own.sql : own.sql.test(sql)
}

/** Null for what SQLite makes by itself. */
function kindOf({ type, name, sql }: SchemaObject): ForeignObject['kind'] | null {
  if (typeof name !== 'string' || (type !== 'table' && type !== 'index')) return 'hostile'
  if (type === 'index' && sql === null && /^sqlite_autoindex_/i.test(name)) return null
  if (type === 'table' && sql === SEQUENCE_TABLE && name === 'sqlite_sequence') return null
  if (typeof sql !== 'string' || sql.length >= SQL_LENGTH_MAX) return 'hostile'
  if (!NAME_OF_OURS.test(name)) return /^sqlite_(?!stat[134]$)/i.test(name) ? 'hostile' : 'operator'
  const isPlain =
    type === 'table' && NAME_OF_A_LATER_RELEASE.test(name) && /^CREATE TABLE\b/i.test(sql) && !NOT_PLAIN.test(sql)
  return isPlain ? 'newer' : 'hostile'
}

const TYPES: ReadonlySet<unknown> = new Set(['table', 'index', 'view', 'trigger'])

function describe({ type, name }: SchemaObject): Pick<ForeignObject, 'what' | 'drop'> {
  const kind = TYPES.has(type) ? String(type) : 'object'
  const text = printable(String(name))
  return { what: `the ${kind} \`${text}\``, drop: `DROP ${kind.toUpperCase()} "${text.replaceAll('"', '""')}"` }
}

/**
 * The objects that statements `CREATE … IF NOT EXISTS` make, as SQLite keeps them.
 *
 * @param schema - the statements, each ended by a semicolon or by the end of the text; no semicolon in between
 */
export function ownObjects(schema: string): readonly OwnObject[] {
  return schema
    .split(';')
    .map((statement) => statement.trim().replace(/^(CREATE (?:TABLE|INDEX)) IF NOT EXISTS /, '$1 '))
    .flatMap((sql): OwnObject[] => {
      const [, kind, name = ''] = /^CREATE (TABLE|INDEX) (\w+)/.exec(sql) ?? []
      return kind === undefined ? [] : [{ type: kind === 'TABLE' ? 'table' : 'index', name, sql }]
    })
}

/**
 * For a store that owns its file.
 *
 * @throws Error in one line that names the object and the statement that removes it
 */
export function requireOwnObjects(db: SqliteConnection, own: readonly OwnObject[]): void {
  const foreign = foreignObjects(db, own).find(({ kind }) => kind !== 'newer')
  if (foreign === undefined) return
  throw new Error(
    `it contains ${foreign.what}, which sudoagent did not create; find out who did, and remove it with ${foreign.drop}`,
  )
}
