// Selects the file from which a SQLite ledger is read, so that reading does not leave other files next to the ledger.
//
// SQLite alone does not ensure this: a read-only connection to a WAL database creates `-wal` and `-shm` and leaves
// them, and it cannot open the file at all without write permission in the folder. The choice therefore depends on
// the files in the folder:
//
//   -wal and -shm: there is a writer, or one crashed   → open read-only; both exist, so none is created
//   neither, and file and folder are writable          → open with query_only; SQLite removes its files on close
//   other cases: read-only medium, -wal only, -journal → read a private copy in the temporary folder
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

/** A database file to read, and a function that removes the file if it is a copy. */
export interface Place {
  readonly path: string
  readonly readonly: boolean
  readonly remove: () => void
}

/** Selects the file from which to read the ledger at `path`. */
export function choosePlace(path: string): Place {
  const beside = (suffix: string): boolean => existsSync(`${path}${suffix}`)
  const inPlace = (readonly: boolean): Place => ({ path, readonly, remove: () => {} })
  if (beside('-wal') && beside('-shm')) return inPlace(true)
  if (beside('-wal') || beside('-journal')) return copyOf(path)
  // Reading a rollback-journal database (header bytes 18 and 19 are 1) does not create side files.
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

/** Also checks the mode bits: root can write to any file, but a file that was made read-only must not be changed. */
function mayWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    accessSync(dirname(path), constants.W_OK)
    return (statSync(path).mode & 0o222) !== 0 && (statSync(dirname(path)).mode & 0o222) !== 0
  } catch {
    return false
  }
}

/** Creates a private copy in the temporary folder. */
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

/** Opens a snapshot of an untrusted database, without executing anything in it and without writing. */
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

/**
 * Uses `node:sqlite` if the native module of better-sqlite3 cannot be loaded, so that reading does not need a
 * compiler.
 */
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
