/**
 * Stores a witness's checkpoints in one SQLite file: one row per log, WAL, `synchronous=FULL`. Several processes
 * can share the file; SQLite's write lock serializes them.
 *
 *   sudoagent_witness (origin, size, root, note, time)
 *
 * Never delete the file or restore it from a backup: the witness would forget the checkpoints that it has cosigned
 * since then.
 */
import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseCheckpoint, parseNote } from '@sudoagent/crypto/note'
import {
  createPrivately,
  DamagedFile,
  FileIdentity,
  followLinks,
  foreignObjects,
  NATIVE_MODULE_HINT,
  nativeModuleProblem,
  type OwnObject,
  ownObjects,
  PinnedFile,
  requireSoundFile,
  SchemaGuard,
} from '@sudoagent/ledger/sqlite-file'
import Database from 'better-sqlite3'
import { WitnessError } from './error.js'
import { isTime, mayReplace, requireGrowth, type StoredCheckpoint, type WitnessStore } from './store.js'

/** How long a call waits for the transaction of another process, in milliseconds. Transactions take milliseconds. */
const BUSY_TIMEOUT_MS = 5_000

/** Pause between attempts to switch a new file to WAL while another process is switching it too, in milliseconds. */
const RETRY_PAUSE_MS = 10

const TABLE = `CREATE TABLE IF NOT EXISTS sudoagent_witness (
  origin TEXT NOT NULL PRIMARY KEY,
  size INTEGER NOT NULL,
  root BLOB NOT NULL,
  note TEXT NOT NULL,
  time INTEGER NOT NULL
) STRICT, WITHOUT ROWID`

/** The table of older releases, without the time of the last cosignature. Opening the store migrates its rows. */
const FORMER_TABLE = `CREATE TABLE witness_checkpoint (
  origin TEXT NOT NULL PRIMARY KEY,
  size INTEGER NOT NULL,
  root BLOB NOT NULL,
  note TEXT NOT NULL
) STRICT, WITHOUT ROWID`

const TAKE_OVER = `INSERT INTO sudoagent_witness SELECT origin, size, root, note, 0 FROM witness_checkpoint;
DROP TABLE witness_checkpoint`

const OWN_OBJECTS = ownObjects(TABLE)
const FORMER_OBJECTS = ownObjects(FORMER_TABLE)

const SQLITE_MAGIC = 'SQLite format 3\0'

interface Row {
  readonly size: number
  readonly root: Uint8Array
  readonly note: string
  readonly time: number
}

/**
 * @example
 * const store = SqliteWitnessStore.open('witness.sqlite')
 */
export class SqliteWitnessStore implements WitnessStore {
  readonly #path: string
  readonly #db: Database.Database
  /** Identity of the database and `-wal` files. If either file is deleted, data written afterwards is lost at exit. */
  readonly #file: FileIdentity
  readonly #wal: PinnedFile
  readonly #select: Database.Statement
  readonly #upsert: Database.Statement
  readonly #begin: Database.Statement
  /** Detects a trigger that is created while the store is open. */
  readonly #schema: SchemaGuard
  #failed: WitnessError | null = null

  private constructor(path: string, db: Database.Database) {
    this.#path = path
    this.#db = db
    this.#select = db.prepare('SELECT size, root, note, time FROM sudoagent_witness WHERE origin = ?')
    this.#upsert = db.prepare(`INSERT INTO sudoagent_witness (origin, size, root, note, time) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT (origin) DO UPDATE SET size = excluded.size, root = excluded.root, note = excluded.note, time = excluded.time`)
    this.#begin = db.prepare('BEGIN IMMEDIATE')
    this.#schema = new SchemaGuard(db, () => requireOwnObjectsOnly(db, path, OWN_OBJECTS))
    this.#file = new FileIdentity(path)
    this.#wal = new PinnedFile(`${followLinks(path)}-wal`)
  }

  /**
   * Opens the file, which is created (mode 0600) if it does not exist.
   *
   * @throws WitnessError `STORE_NOT_A_STORE` (another kind of file, left unchanged), `STORE_DAMAGED` (its pages do
   *   not form a database), `STORE_FAILED`; TypeError for a path with surrounding white space, which the driver
   *   would remove
   */
  static open(file: string): SqliteWitnessStore {
    if (file === '' || file.trim() !== file)
      throw new TypeError('the path must not be empty, and must not start or end with white space')
    // The path is made absolute, so that SQLite does not interpret a file name such as `:memory:`.
    const path = resolve(file)
    try {
      claimFile(path)
      requireSoundFile(path)
      const db = new Database(path, { fileMustExist: true, timeout: BUSY_TIMEOUT_MS })
      try {
        db.pragma('trusted_schema = OFF')
        // This check precedes `journal_mode`, which changes the file: the file may belong to a different program.
        waitWhileBusy(() => requireOwnObjectsOnly(db, path, [...OWN_OBJECTS, ...FORMER_OBJECTS]))
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
      if (!mayReplace(this.#read(origin), oldSize, next)) {
        this.#db.exec('ROLLBACK')
        return false
      }
      this.#upsert.run(origin, next.size, next.root, next.note, next.time)
      this.#db.exec('COMMIT')
      return true
    })
  }

  async close(): Promise<void> {
    this.#failed ??= new WitnessError('STORE_FAILED', `\`${this.#path}\` was closed`)
    if (!this.#db.open) return
    this.#db.close()
    this.#wal.close()
  }

  #read(origin: string): StoredCheckpoint | null {
    this.#schema.require()
    const row = this.#select.get(origin) as Row | undefined
    if (row === undefined) return null
    const { size, root, note, time } = row
    if (isStored(origin, row)) return { size, root: new Uint8Array(root), note, time }
    throw new WitnessError('STORE_DAMAGED', `\`${this.#path}\` contains a row that a witness cannot have written`, {
      hint: 'stop using the file, and find out what changed it',
    })
  }

  #attempt<T>(work: () => T): T {
    // After an I/O error, the disk content is unknown, and a second sync may report success despite lost bytes.
    if (this.#failed !== null) throw this.#failed
    try {
      this.#file.check()
      this.#wal.check()
      return work()
    } catch (error) {
      const failure = asStoreError(error, this.#path)
      if (codeOf(error) !== 'SQLITE_BUSY') this.#failed = failure
      // Closing the connection also rolls back.
      if (this.#db.inTransaction) this.#db.exec('ROLLBACK')
      throw failure
    }
  }
}

/** Whether `swap` can have written the row, that is, whether the columns match the note. */
function isStored(origin: string, { size, root, note, time }: Row): boolean {
  if (!isTime(time)) return false
  try {
    const said = parseCheckpoint(parseNote(note).text)
    return said.origin === origin && said.size === size && Buffer.compare(said.root, root) === 0
  } catch {
    return false
  }
}

/** Creates the file with mode 0600, or checks that an existing file is a SQLite file. */
function claimFile(path: string): void {
  const kind = statSync(path, { throwIfNoEntry: false })
  if (kind === undefined) {
    createPrivately(path)
    return
  }
  if (!kind.isFile()) throw notAStore(path, 'is not a regular file')
  // If SQLite has the file open in this process, closing a second descriptor of it would release SQLite's locks
  // (howtocorrupt, 2.2).
  if (existsSync(`${followLinks(path)}-wal`) || kind.size === 0) return
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

/** @throws WitnessError `STORE_NOT_A_STORE` if the file has objects other than `own` and a later release's tables */
function requireOwnObjectsOnly(db: Database.Database, path: string, own: readonly OwnObject[]): void {
  const foreign = foreignObjects(db, own).find(({ kind }) => kind !== 'newer')
  if (foreign !== undefined)
    throw notAStore(
      path,
      `contains ${foreign.what}, which sudoagent did not create`,
      `, or remove it with ${foreign.drop}`,
    )
}

function makeTable(db: Database.Database, path: string): void {
  requireOwnObjectsOnly(db, path, [...OWN_OBJECTS, ...FORMER_OBJECTS])
  const names = db.prepare('SELECT name FROM sqlite_schema').pluck().all()
  const [isThere, isFormerThere] = [OWN_OBJECTS, FORMER_OBJECTS].map((own) =>
    own.some(({ name }) => names.includes(name)),
  )
  // There is no way to determine which of the two tables is newer.
  if (isThere && isFormerThere) throw notAStore(path, 'contains tables from two releases')
  db.exec(TABLE)
  if (isFormerThere) db.exec(TAKE_OVER)
}

function setDurable(db: Database.Database): void {
  waitWhileBusy(() => db.pragma('journal_mode = WAL'))
  // `synchronous` is set after `journal_mode`, because the driver lowers it to NORMAL for WAL. The settings are
  // read back, because a pragma never fails.
  db.pragma('synchronous = FULL')
  db.pragma('fullfsync = ON')
  db.pragma('checkpoint_fullfsync = ON')
  if (db.pragma('journal_mode', { simple: true }) !== 'wal' || db.pragma('synchronous', { simple: true }) !== 2)
    throw new Error('SQLite did not accept WAL with synchronous=FULL; network file systems do not support it')
}

/**
 * Switching to WAL briefly needs exclusive access. Two processes that open a new file at the same time may
 * immediately get BUSY, even on the first read of the schema.
 */
function waitWhileBusy(work: () => void): void {
  for (let waitedMs = 0; ; waitedMs += RETRY_PAUSE_MS) {
    try {
      work()
      return
    } catch (error) {
      if (codeOf(error) !== 'SQLITE_BUSY' || waitedMs >= BUSY_TIMEOUT_MS) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_PAUSE_MS)
    }
  }
}

/** Returns the error code of Node or SQLite. Extended codes (`SQLITE_BUSY_SNAPSHOT`) become the primary code. */
function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
  return code.startsWith('SQLITE_') ? code.split('_').slice(0, 2).join('_') : code
}

function asStoreError(error: unknown, path: string): WitnessError {
  if (error instanceof WitnessError) return error
  const problem = nativeModuleProblem(error)
  if (problem !== null) return new WitnessError('STORE_FAILED', problem, { cause: error, hint: NATIVE_MODULE_HINT })
  const reason = error instanceof Error ? error.message : String(error)
  if (error instanceof DamagedFile)
    return new WitnessError('STORE_DAMAGED', `\`${path}\`: the pages of the file do not form a database: ${reason}`, {
      cause: error,
      hint: 'nothing was written; stop using the file, and find out what changed it',
    })
  const code = codeOf(error)
  // The ledger package detects a deleted or replaced file.
  if (code === 'LEDGER_DAMAGED')
    return new WitnessError('STORE_DAMAGED', reason, {
      cause: error,
      hint: 'stop the witness, and find out what changed the file',
    })
  if (code === 'SQLITE_NOTADB') return notAStore(path, 'is not a SQLite database')
  return new WitnessError(code === 'SQLITE_CORRUPT' ? 'STORE_DAMAGED' : 'STORE_FAILED', `\`${path}\`: ${reason}`, {
    cause: error,
  })
}

const notAStore = (path: string, what: string, or = ''): WitnessError =>
  new WitnessError('STORE_NOT_A_STORE', `\`${path}\` ${what}`, {
    hint: `nothing was written; give the witness a file of its own${or}`,
  })
