// A ledger's kind is recognised by what is in the file, never by its name.
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
 * Opens a ledger for reading. Changes nothing, takes no write lock, works on read-only files and next to a running writer.
 *
 * @param place - the path of a SQLite or JSONL file, or a URL (`postgres://…`, `memory:name`)
 * @throws LedgerError LEDGER_NOT_FOUND, LEDGER_IS_DIRECTORY, LEDGER_NOT_READABLE, LEDGER_NOT_A_LEDGER, LEDGER_DAMAGED, LEDGER_BUSY, DRIVER_MISSING
 * @example
 * const reader = await openLedgerReader('ledger.sqlite')
 */
export async function openLedgerReader(place: string): Promise<LedgerReader> {
  const driver = driverByScheme(place) ?? FILE_DRIVERS[recogniseForReading(place)]
  return driver.openReader(place)
}

export interface OpenWriterOptions extends WriterOptions {
  /** Of a file that is not there yet, or is empty; default: by its name. */
  readonly kind?: 'sqlite' | 'jsonl'
  /** Whether an empty ledger gets its genesis now; default: yes. */
  readonly begin?: boolean
  /** A file that counts what this writer has written: a ledger that lacks some of it is refused (`withCounter`). */
  readonly counter?: string
}

/**
 * Opens a ledger for writing, and makes it where it is not there. A new one is begun: it gets its genesis.
 *
 * @param place - as for `openLedgerReader`; a file that is not there, or is empty, is JSONL when its name ends in `.jsonl` or
 * `.ndjson`, and SQLite otherwise
 * @throws LedgerError as the store's `open`, DRIVER_MISSING; TypeError for an option that cannot be
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

/** Asks the file, and opens nothing: another writer may be making its ledger there right now, and an empty file says nothing about its kind. */
function kindForWriting(path: string, kind: 'sqlite' | 'jsonl' | undefined): 'sqlite' | 'jsonl' {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat?.isDirectory() === true || (stat?.size ?? 0) > 0) return recognise(path)
  return kind ?? (/\.(?:jsonl|ndjson)$/i.test(path) ? 'jsonl' : 'sqlite')
}

/**
 * The same for a reader: what looks like a JSONL ledger that somebody put something in front of is one, and `verify` says
 * what is wrong with its first line.
 */
function recogniseForReading(path: string): 'sqlite' | 'jsonl' {
  try {
    return recognise(path)
  } catch (error) {
    if (error instanceof LedgerError && error.code === 'LEDGER_NOT_A_LEDGER' && looksLikeLines(path)) return 'jsonl'
    throw error
  }
}

/** Looked at for an entry, in bytes: more than what a few short lines in front of one take. */
const START_BYTES = 64 * 1024

/** Whether the file has a head next to it, or something like an entry near its beginning. */
function looksLikeLines(path: string): boolean {
  try {
    // A pipe or a device is not a ledger, and opening a pipe waits for its other end.
    if (!statSync(path).isFile()) return false
    const start = firstBytes(path, START_BYTES).toString('latin1')
    return existsSync(beside(path, 'head')) || /\n\{"|"entry_hash"/.test(start)
  } catch (error) {
    throw asLedgerError(error, path, 'LEDGER_NOT_READABLE')
  }
}

/**
 * Tells a ledger's kind.
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
