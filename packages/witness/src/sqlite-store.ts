/**
 * A witness's memory in one SQLite file: a row for each log, WAL, `synchronous=FULL`. Several processes may share it; who
 * is first is settled by SQLite's write lock.
 *
 *     witness_checkpoint (origin, size, root, note)
 *
 * Keep the file. A witness whose file was deleted, or put back from a copy, has forgotten what it cosigned.
 */
import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseCheckpoint, parseNote } from '@sudoagent/crypto'
import Database from 'better-sqlite3'
import { WitnessError } from './error.js'
import { requireGrowth, type StoredCheckpoint, type WitnessStore } from './store.js'

/** How long a call waits for another process's transaction. Ours take milliseconds; after this something is stuck. */
const BUSY_TIMEOUT_MS = 5_000

/** Pause between two attempts to switch a fresh file to WAL while another process does the same. */
const RETRY_PAUSE_MS = 10

/** What SQLite keeps of it is this text: a file with any other table, or with a trigger, is not ours. */
const TABLE = `CREATE TABLE witness_checkpoint (
  origin TEXT NOT NULL PRIMARY KEY,
  size INTEGER NOT NULL,
  root BLOB NOT NULL,
  note TEXT NOT NULL
) STRICT, WITHOUT ROWID`

const SQLITE_MAGIC = 'SQLite format 3\0'

interface Row {
  readonly size: number
  readonly root: Uint8Array
  readonly note: string
}

/**
 * @example
 * const store = SqliteWitnessStore.open('witness.sqlite')
 */
export class SqliteWitnessStore implements WitnessStore {
  readonly #path: string
  readonly #db: Database.Database
  /** Of the database and its `-wal`: with either deleted, what is written would be gone with the process. */
  readonly #identities: readonly (readonly [path: string, identity: string])[]
  readonly #select: Database.Statement
  readonly #upsert: Database.Statement
  readonly #begin: Database.Statement
  /** Changes with every object that is added to the file: a trigger that is planted now takes effect, too. */
  readonly #schemaVersion: Database.Statement
  #schemaChecked: unknown
  #failed: WitnessError | null = null

  private constructor(path: string, db: Database.Database) {
    this.#path = path
    this.#db = db
    this.#select = db.prepare('SELECT size, root, note FROM witness_checkpoint WHERE origin = ?')
    this.#upsert = db.prepare(`INSERT INTO witness_checkpoint (origin, size, root, note) VALUES (?, ?, ?, ?)
      ON CONFLICT (origin) DO UPDATE SET size = excluded.size, root = excluded.root, note = excluded.note`)
    this.#begin = db.prepare('BEGIN IMMEDIATE')
    this.#schemaVersion = db.prepare('PRAGMA schema_version').pluck()
    this.#schemaChecked = this.#schemaVersion.get()
    this.#identities = [path, `${path}-wal`].map((name) => [name, identityOf(name)])
  }

  /**
   * Opens the file, or makes it (mode 0600).
   *
   * @throws WitnessError `STORE_NOT_A_STORE` (the file is something else; it was left alone), `STORE_FAILED`; TypeError
   * for a path with white space around it, which the driver would take off
   */
  static open(file: string): SqliteWitnessStore {
    if (file === '' || file.trim() !== file)
      throw new TypeError('the path must not be empty or padded with white space')
    // Whole, so that no name of a file (`:memory:`) means something else to SQLite.
    const path = resolve(file)
    try {
      claimFile(path)
      const db = new Database(path, { fileMustExist: true, timeout: BUSY_TIMEOUT_MS })
      try {
        db.pragma('trusted_schema = OFF')
        db.transaction(refuseOthers)(db, path)
        setDurable(db)
        db.transaction(makeTable).immediate(db, path)
        return new SqliteWitnessStore(path, db)
      } catch (error) {
        db.close()
        throw error
      }
    } catch (error) {
      throw asStoreError(error, path)
    }
  }

  async read(origin: string): Promise<StoredCheckpoint | null> {
    return this.#attempt(() => this.#read(origin))
  }

  async swap(origin: string, oldSize: number, next: StoredCheckpoint): Promise<boolean> {
    requireGrowth(oldSize, next)
    return this.#attempt(() => {
      this.#begin.run()
      if ((this.#read(origin)?.size ?? 0) !== oldSize) {
        this.#db.exec('ROLLBACK')
        return false
      }
      this.#upsert.run(origin, next.size, next.root, next.note)
      this.#db.exec('COMMIT')
      return true
    })
  }

  async close(): Promise<void> {
    this.#failed ??= new WitnessError('STORE_FAILED', `\`${this.#path}\` was closed`)
    this.#db.close()
  }

  #requireSchema(): void {
    const version = this.#schemaVersion.get()
    if (version === this.#schemaChecked) return
    refuseOthers(this.#db, this.#path)
    this.#schemaChecked = version
  }

  #read(origin: string): StoredCheckpoint | null {
    this.#requireSchema()
    const row = this.#select.get(origin) as Row | undefined
    if (row === undefined) return null
    const { size, root, note } = row
    if (isStored(origin, row)) return { size, root: new Uint8Array(root), note }
    throw new WitnessError('STORE_DAMAGED', `\`${this.#path}\` holds a row that is not what a witness writes`, {
      hint: 'do not go on with it: find out what changed the file',
    })
  }

  #attempt<T>(work: () => T): T {
    // After an I/O error nobody knows what the disk holds, and a second sync may claim success for bytes that were dropped.
    if (this.#failed !== null) throw this.#failed
    try {
      for (const [path, identity] of this.#identities) requireIdentity(path, identity)
      return work()
    } catch (error) {
      const failure = asStoreError(error, this.#path)
      if (codeOf(error) !== 'SQLITE_BUSY') this.#failed = failure
      // What closes the connection rolls back, too.
      if (this.#db.inTransaction) this.#db.exec('ROLLBACK')
      throw failure
    }
  }
}

/** Whether a row is one that `swap` wrote: its columns say what its note says. */
function isStored(origin: string, { size, root, note }: Row): boolean {
  try {
    const said = parseCheckpoint(parseNote(note).text)
    return said.origin === origin && said.size === size && Buffer.compare(said.root, root) === 0
  } catch {
    return false
  }
}

/** Creates the file for its owner alone, or makes sure that what is there is a SQLite file. */
function claimFile(path: string): void {
  const kind = statSync(path, { throwIfNoEntry: false })
  if (kind === undefined) {
    try {
      closeSync(openSync(path, 'wx', 0o600))
    } catch (error) {
      // Another process that starts at the same time made it.
      if (codeOf(error) !== 'EEXIST') throw error
    }
    return
  }
  if (!kind.isFile()) throw notAStore(path, 'is not a regular file')
  // While SQLite has the file open, closing another descriptor of it would drop SQLite's locks (howtocorrupt, 2.2).
  if (statSync(`${path}-wal`, { throwIfNoEntry: false }) !== undefined || kind.size === 0) return
  if (firstBytes(path) !== SQLITE_MAGIC) throw notAStore(path, 'is not a SQLite database')
}

function firstBytes(path: string): string {
  const fd = openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(SQLITE_MAGIC.length)
    return bytes.toString('latin1', 0, readSync(fd, bytes, 0, bytes.length, 0))
  } finally {
    closeSync(fd)
  }
}

function refuseOthers(db: Database.Database, path: string): void {
  const objects = db.prepare('SELECT sql FROM sqlite_schema LIMIT 2').pluck().all()
  const isOurs = objects.length === 0 || (objects.length === 1 && objects[0] === TABLE)
  if (!isOurs) throw notAStore(path, "is another application's SQLite database")
}

function makeTable(db: Database.Database, path: string): void {
  refuseOthers(db, path)
  db.exec(TABLE.replace('CREATE TABLE', 'CREATE TABLE IF NOT EXISTS'))
}

function setDurable(db: Database.Database): void {
  enterWal(db)
  // After journal_mode, because the driver lowers it to NORMAL for WAL; read back, because a pragma never fails.
  db.pragma('synchronous = FULL')
  db.pragma('fullfsync = ON')
  db.pragma('checkpoint_fullfsync = ON')
  if (db.pragma('synchronous', { simple: true }) !== 2) throw new Error('synchronous=FULL was not accepted')
}

/** The switch needs the file for itself for a moment; two processes that open a new one at once may be told BUSY at once. */
function enterWal(db: Database.Database): void {
  for (let waitedMs = 0; ; waitedMs += RETRY_PAUSE_MS) {
    try {
      if (db.pragma('journal_mode = WAL', { simple: true }) === 'wal') return
      throw new Error('WAL was not accepted; network file systems do not offer it')
    } catch (error) {
      if (codeOf(error) !== 'SQLITE_BUSY' || waitedMs >= BUSY_TIMEOUT_MS) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_PAUSE_MS)
    }
  }
}

function identityOf(path: string): string {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false })
  return found === undefined ? '' : `${found.dev}:${found.ino}`
}

function requireIdentity(path: string, identity: string): void {
  if (identityOf(path) === identity) return
  throw new WitnessError('STORE_DAMAGED', `\`${path}\` was deleted or replaced while it was open`, {
    hint: 'stop the witness and find out who did it',
  })
}

/** The code of Node or SQLite (`SQLITE_BUSY_SNAPSHOT` and its like under their family's name). */
function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
  return code.startsWith('SQLITE_') ? code.split('_').slice(0, 2).join('_') : code
}

function asStoreError(error: unknown, path: string): WitnessError {
  if (error instanceof WitnessError) return error
  const code = codeOf(error)
  if (code === 'SQLITE_NOTADB') return notAStore(path, 'is not a SQLite database')
  const damaged = code === 'SQLITE_CORRUPT'
  const reason = error instanceof Error ? error.message : String(error)
  return new WitnessError(damaged ? 'STORE_DAMAGED' : 'STORE_FAILED', `\`${path}\`: ${reason}`, { cause: error })
}

const notAStore = (path: string, what: string): WitnessError =>
  new WitnessError('STORE_NOT_A_STORE', `\`${path}\` ${what}`, {
    hint: 'nothing was written; give the witness a file of its own',
  })
