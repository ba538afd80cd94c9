// From where a SQLite ledger is read, so that nothing is left beside the file.
//
// SQLite alone cannot promise that: a read-only connection to a WAL database creates `-wal` and `-shm` and leaves them there, and
// without write permission in the folder it cannot open the file at all. So, by what lies beside the file:
//   -wal and -shm: a writer is there, or died            → open read-only; both exist already, none is made
//   nothing, file and folder may be written               → open with query_only; SQLite itself removes what it made, on close
//   anything else (read-only medium, -wal alone, -journal) → read a private copy, made in the temporary folder and removed on close
import {
  accessSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import Database from 'better-sqlite3'
import { nativeModuleProblem } from '../../native-module.js'
import { openWithNode } from './node-sqlite.js'
import type { ReadDatabase } from './read-database.js'

const READ_BUSY_TIMEOUT_MS = 5_000

/** A database file that can be read, and what takes it away again. */
export interface Place {
  readonly path: string
  readonly readonly: boolean
  readonly remove: () => void
}

/** Where to read the ledger at `path`. */
export function choosePlace(path: string): Place {
  const beside = (suffix: string): boolean => existsSync(`${path}${suffix}`)
  const inPlace = (readonly: boolean): Place => ({ path, readonly, remove: () => {} })
  if (beside('-wal') && beside('-shm')) return inPlace(true)
  if (beside('-wal') || beside('-journal')) return copyOf(path)
  // Rollback-journal databases (header bytes 18 and 19 are 1) make no side files when they are read.
  if (!isWal(path)) return inPlace(true)
  return mayWrite(path) ? inPlace(false) : copyOf(path)
}

function isWal(path: string): boolean {
  const fd = openSync(path, 'r')
  try {
    const versions = Buffer.alloc(2)
    readSync(fd, versions, 0, 2, 18)
    return versions[0] === 2 || versions[1] === 2
  } finally {
    closeSync(fd)
  }
}

/** Asks the mode bits too: root may write everywhere, but a file that was made read-only is to be left alone. */
function mayWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    accessSync(dirname(path), constants.W_OK)
    return (statSync(path).mode & 0o222) !== 0 && (statSync(dirname(path)).mode & 0o222) !== 0
  } catch {
    return false
  }
}

/** A private copy, in the temporary folder. */
export function copyOf(path: string): Place {
  const folder = mkdtempSync(join(tmpdir(), 'sudoagent-'))
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  try {
    const copy = join(folder, 'ledger.sqlite')
    for (const suffix of ['', '-wal', '-journal']) {
      if (existsSync(`${path}${suffix}`))
        copyFileSync(`${path}${suffix}`, `${copy}${suffix}`, constants.COPYFILE_FICLONE)
    }
    return { path: copy, readonly: false, remove }
  } catch (error) {
    remove()
    throw error
  }
}

/** A snapshot of a database that anybody may have prepared: nothing in it is run, and nothing is written. */
export function openUntrusted(place: Pick<Place, 'path' | 'readonly'>): ReadDatabase {
  const db = connect(place)
  try {
    db.pragma('query_only = ON')
    db.pragma('trusted_schema = OFF')
    db.pragma('cell_size_check = ON')
    db.exec('BEGIN')
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** With Node's own SQLite where the native module of better-sqlite3 cannot be loaded: reading needs no compiler. */
function connect({ path, readonly }: Pick<Place, 'path' | 'readonly'>): ReadDatabase {
  try {
    return new Database(path, { readonly, fileMustExist: true, timeout: READ_BUSY_TIMEOUT_MS })
  } catch (error) {
    const db =
      nativeModuleProblem(error) === null ? null : openWithNode(path, { readonly, timeout: READ_BUSY_TIMEOUT_MS })
    if (db === null) throw error
    return db
  }
}
