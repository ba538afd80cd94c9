// Opens a ledger from a place: a file path, or a URL.
//
// A URL goes to the driver of its scheme (`drivers.ts`). The format of an existing file is recognised by its
// content, never by its name; a new file gets its format from its name (LEDGER-FORMAT §2):
//
//   openLedgerReader('ledger.bak')             starts with "SQLite format 3\0"  →  SQLite
//   openLedgerReader('audit.log')              starts with {                    →  JSONL
//   openLedgerWriter('new.jsonl', options)     does not exist                   →  JSONL, created with mode 0600
//   openLedgerWriter('postgres://…', options)  scheme                           →  @sudoagent/postgres
//
// While SQLite has a database open (a `-wal` file exists), the content of the database is not read here, since
// closing the descriptor would drop SQLite's locks.
//
// Opening a reader does not change the ledger. Opening a writer writes the genesis of a new ledger. With a `counter`,
// the writer refuses a ledger that was replaced by an older copy (`counter.ts`).
import { existsSync, statSync } from 'node:fs'
import { LedgerError } from '../error.js'
import { asLedgerError, firstBytes, isOpenInSqlite, isRegularFile, SQLITE_MAGIC } from '../file.js'
import { ownFields } from '../own-fields.js'
import type { LedgerReader } from '../port/reader.js'
import type { ControlWriter, LedgerWriter } from '../port/writer.js'
import type { WriterOptions } from '../write/advance.js'
import { withCounter } from './counter.js'
import { driverByScheme, jsonl, sqlite } from './drivers.js'
import { beside } from './jsonl/side-file.js'

/**
 * Opens a ledger for reading. Does not change the ledger, does not take the write lock, and works on read-only files
 * and during writes.
 *
 * @param place - the path of a SQLite or JSONL file, or a URL (`postgres://…`, `memory:name`)
 * @throws LedgerError LEDGER_NOT_FOUND, LEDGER_IS_DIRECTORY, LEDGER_NOT_READABLE, LEDGER_NOT_A_LEDGER,
 * LEDGER_DAMAGED, LEDGER_BUSY, DRIVER_MISSING
 * @example
 * const reader = await openLedgerReader('ledger.sqlite')
 */
export async function openLedgerReader(place: string): Promise<LedgerReader> {
  const driver = driverByScheme(place) ?? FILE_DRIVERS[recogniseForReading(place)]
  return driver.openReader(place)
}

export interface OpenWriterOptions extends WriterOptions {
  /** Format of a file that does not exist or is empty. Default: determined by the file name. */
  readonly kind?: 'sqlite' | 'jsonl'
  /** Whether to write the genesis of an empty ledger now. Default: true. */
  readonly begin?: boolean
  /** Path of this writer's counter; a ledger that lacks the writer's last entry is refused (`withCounter`). */
  readonly counter?: string
}

/**
 * Opens a ledger for writing, or creates it. Writes the genesis of a new ledger.
 *
 * @param place - as for `openLedgerReader`; a file that does not exist or is empty is JSONL if its name ends in
 * `.jsonl` or `.ndjson`, otherwise SQLite
 * @throws the errors of the store's `open`; LedgerError DRIVER_MISSING; TypeError for an invalid option
 * @example
 * const ledger = await openLedgerWriter('ledger.sqlite', { signer })
 */
export async function openLedgerWriter(
  place: string,
  given: OpenWriterOptions = {},
): Promise<LedgerWriter & ControlWriter> {
  const { counter, kind, begin = true, ...options } = ownFields(given)
  const driver = driverByScheme(place) ?? FILE_DRIVERS[kindForWriting(place, kind)]
  const opened = await driver.openWriter(place, options)
  const ledger =
    counter === undefined
      ? opened
      : await withCounter(opened, { file: counter, openReader: () => openLedgerReader(place) })
  try {
    if (begin) await ledger.begin?.()
    return ledger
  } catch (error) {
    await ledger.close()
    throw error
  }
}

const FILE_DRIVERS = { sqlite, jsonl } as const

/** Determines the format without opening an empty file, in which a different writer may be creating a ledger. */
function kindForWriting(path: string, kind: 'sqlite' | 'jsonl' | undefined): 'sqlite' | 'jsonl' {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat?.isDirectory() === true || (stat?.size ?? 0) > 0) return recognise(path)
  return kind ?? (/\.(?:jsonl|ndjson)$/i.test(path) ? 'jsonl' : 'sqlite')
}

/**
 * Determines the format of a file for a reader. A JSONL ledger that begins with other text is still read, so that
 * `verify` reports the defect in the first line.
 */
function recogniseForReading(path: string): 'sqlite' | 'jsonl' {
  try {
    return recognise(path)
  } catch (error) {
    if (error instanceof LedgerError && error.code === 'LEDGER_NOT_A_LEDGER' && looksLikeLines(path)) return 'jsonl'
    throw error
  }
}

/** Number of bytes to search for an entry, so that a few short lines before the entry are tolerated. */
const START_BYTES = 64 * 1024

/** Whether the file has a head file, or what looks like an entry near its beginning. */
function looksLikeLines(path: string): boolean {
  try {
    // A pipe or a device is not a ledger, and opening a pipe would block until its other end is opened.
    if (!statSync(path).isFile()) return false
    const start = firstBytes(path, START_BYTES).toString('latin1')
    return existsSync(beside(path, 'head')) || /\n\{"|"entry_hash"/.test(start)
  } catch (error) {
    throw asLedgerError(error, path, 'LEDGER_NOT_READABLE')
  }
}

/**
 * Recognises the format of a ledger.
 *
 * @throws LedgerError LEDGER_NOT_FOUND, LEDGER_IS_DIRECTORY, LEDGER_NOT_READABLE, LEDGER_NOT_A_LEDGER
 */
export function recognise(path: string): 'sqlite' | 'jsonl' {
  try {
    if (!isRegularFile(path)) throw new LedgerError('LEDGER_NOT_FOUND', `\`${path}\` does not exist`)
    if (isOpenInSqlite(path)) return 'sqlite'
    const start = firstBytes(path)
    if (start.toString('latin1') === SQLITE_MAGIC) return 'sqlite'
    if (start.length === 0 || start[0] === 0x7b) return 'jsonl'
  } catch (error) {
    throw asLedgerError(error, path, 'LEDGER_NOT_READABLE')
  }
  throw new LedgerError('LEDGER_NOT_A_LEDGER', `\`${path}\` is neither a SQLite nor a JSONL ledger`, {
    hint: 'a ledger is a SQLite database, or lines of JSON that start with `{`',
  })
}
