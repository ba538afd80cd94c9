// Finds objects in a SQLite file other than our own tables. An untrusted file may have triggers that change written
// data, views that execute SQL when they are read, indexes whose content differs from their table, or other objects
// under our names.
//
//   type   name           sql                                        kind
//   table  ledger         CREATE TABLE ledger (id INTEGER …)         ours: the caller knows the exact text
//   table  sudoagent_new  CREATE TABLE sudoagent_new (n INTEGER)     newer: a plain table of a later release
//   index  by_hash        CREATE INDEX by_hash ON ledger (…)         operator: harmless, as statements use NOT INDEXED
//   trigger t             CREATE TRIGGER t AFTER INSERT ON ledger …  hostile: it changes written data

import { escapeForTerminal } from '@sudoagent/crypto/text'
import { LedgerError } from '../error.js'

/**
 * The part of a better-sqlite3 connection that is used here. It is declared here so that our type declarations work
 * without `@types/better-sqlite3`.
 */
export interface SqliteConnection {
  prepare(sql: string): {
    iterate(): IterableIterator<unknown>
    pluck(): { get(): unknown }
  }
}

/** A schema object that the caller creates. */
export interface OwnObject {
  readonly type: 'table' | 'index'
  readonly name: string
  /** The definition as SQLite stores it. */
  readonly sql: string | RegExp
}

/** A row of `sqlite_schema`. In an untrusted file, the columns may have any values. */
interface SchemaObject {
  readonly type: unknown
  readonly name: unknown
  /** At most `SQL_LENGTH_MAX` characters; null for an index that SQLite created automatically. */
  readonly sql: unknown
}

/** A schema object that is not ours. */
export interface ForeignObject {
  /**
   * `hostile`: a trigger, a view, or a different object under one of our names. `operator`: an index or table that
   * the owner of the file may have created. `newer`: a plain table with our name prefix that this release does not
   * know.
   */
  readonly kind: 'hostile' | 'operator' | 'newer'
  /** Type and name as text, safe to print: the trigger `t`. */
  readonly what: string
  /** The statement that removes it. */
  readonly drop: string
}

/** Maximum length of a definition; our longest definition has 500 characters. */
export const SQL_LENGTH_MAX = 4096

/** Maximum number of foreign objects that are listed; a file may have any number. */
const LISTED_MAX = 20

const NAME_LENGTH_MAX = 256

const SELECT_OBJECTS = `SELECT substr(type, 1, 16) AS type, substr(name, 1, ${NAME_LENGTH_MAX}) AS name,
  substr(sql, 1, ${SQL_LENGTH_MAX}) AS sql FROM sqlite_schema`

/** SQLite's table of the highest assigned ids, which exists in every file with an AUTOINCREMENT table. */
const SEQUENCE_TABLE = 'CREATE TABLE sqlite_sequence(name,seq)'

const NAME_OF_OURS = /^(?:ledger$|sudoagent_|witness_checkpoint$)/i

const NAME_OF_A_LATER_RELEASE = /^sudoagent_[a-z0-9_]+$/

// Also matches these words in a comment, a string or a quoted name. A plain table may therefore be classified as
// hostile, but a hostile table is never classified as plain.
const NOT_PLAIN = /\b(?:check|generated|as)\b/i

/**
 * Lists objects that are neither ours nor SQLite's own, at most 20. Hostile objects come first, so they are the last
 * to be omitted.
 *
 * @param own - the caller's objects; each may be missing, but no other object may have the same name
 * @throws SqliteError if the schema cannot be read
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

/** Returns null for objects that SQLite creates itself. */
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
  const text = escapeForTerminal(String(name))
  return { what: `the ${kind} \`${text}\``, drop: `DROP ${kind.toUpperCase()} "${text.replaceAll('"', '""')}"` }
}

/**
 * The objects created by `CREATE … IF NOT EXISTS` statements, with their definitions as SQLite stores them.
 *
 * @param schema - statements separated by semicolons, without other semicolons
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
 * Refuses a store file that contains foreign objects.
 *
 * @throws LedgerError FILE_FOREIGN_OBJECT, which names the object; its hint has the statement that removes it
 */
export function requireOwnObjects(db: SqliteConnection, own: readonly OwnObject[]): void {
  const foreign = foreignObjects(db, own).find(({ kind }) => kind !== 'newer')
  if (foreign === undefined) return
  throw new LedgerError('FILE_FOREIGN_OBJECT', `it contains ${foreign.what}, which sudoagent did not create`, {
    hint: `find out who did, and remove it with ${foreign.drop}`,
  })
}
