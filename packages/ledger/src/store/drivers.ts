// Stores are drivers: one list says which store a place belongs to. A place is the path of a file, or a URL.
//
//   ledger.sqlite, ledger.db          sqlite     by content; by name where there is no file yet
//   ledger.jsonl                      jsonl      the same
//   memory:name                       memory     one ledger for each name, as long as the process
//   postgres://user@host/database     postgres   `@sudoagent/postgres`, where it is installed
//
// To add a store, write a driver and put it into the list; from outside, call `addLedgerDriver`. What a reader and a writer
// must do is tested by `test/store/contract.ts`.
import { LedgerError } from '../error.js'
import type { LedgerKind, LedgerReader } from '../port/reader.js'
import type { ControlWriter, LedgerWriter } from '../port/writer.js'
import type { WriterOptions } from '../write/advance.js'

/** One kind of store. */
export interface LedgerDriver {
  /** What its readers call themselves. */
  readonly kind: LedgerKind
  /** Whether a place belongs to it, by its text alone: the scheme of a URL. Must not throw. */
  matches(place: string): boolean
  /** @throws LedgerError (as a rejection) */
  openReader(place: string): Promise<LedgerReader>
  /** Opens a ledger, and makes it where it is not there. @throws LedgerError (as a rejection) */
  openWriter(place: string, options: WriterOptions): Promise<LedgerWriter & ControlWriter>
}

const memory: LedgerDriver = {
  kind: 'memory',
  matches: (place) => place.startsWith('memory:'),
  openReader: async (place) => (await import('./named-memory.js')).readNamed(place),
  openWriter: async (place, options) => (await import('./named-memory.js')).writeNamed(place, options),
}

const POSTGRES_PACKAGE = '@sudoagent/postgres'

const postgres: LedgerDriver = {
  kind: 'postgres',
  matches: (place) => /^postgres(?:ql)?:\/\//i.test(place),
  openReader: async (place) => (await postgresDriver()).openReader(place),
  openWriter: async (place, options) => (await postgresDriver()).openWriter(place, options),
}

/** A package of its own, loaded for its places alone: no other ledger needs a client of PostgreSQL. */
async function postgresDriver(): Promise<LedgerDriver> {
  try {
    // Not a literal: the package lies above this one.
    const { postgresDriver } = (await import(POSTGRES_PACKAGE)) as { readonly postgresDriver: LedgerDriver }
    return postgresDriver
  } catch (cause) {
    throw new LedgerError('DRIVER_MISSING', `ledgers in PostgreSQL need the package \`${POSTGRES_PACKAGE}\``, {
      hint: `npm install ${POSTGRES_PACKAGE}`,
      cause,
    })
  }
}

/** Files. Which of the two a file belongs to is in the file. */
export const sqlite: LedgerDriver = {
  kind: 'sqlite',
  matches: () => false,
  // Loaded here, so that whoever reads JSONL never loads the native module.
  openReader: async (path) => (await import('./sqlite/reader.js')).openSqliteReader(path),
  openWriter: async (path, options) => (await import('./sqlite/ledger.js')).SqliteLedger.open(path, options),
}

export const jsonl: LedgerDriver = {
  kind: 'jsonl',
  matches: () => false,
  openReader: async (path) => (await import('./jsonl/reader.js')).openJsonlReader(path),
  openWriter: async (path, options) => (await import('./jsonl/ledger.js')).JsonlLedger.open(path, options),
}

const drivers: LedgerDriver[] = [memory, postgres]

/**
 * Adds a kind of store, before those that are there: it is asked first whether a place belongs to it.
 *
 * @example
 * addLedgerDriver({ kind: 'key-value', matches: (place) => place.startsWith('kv:'), openReader, openWriter })
 */
export function addLedgerDriver(driver: LedgerDriver): void {
  if (!drivers.includes(driver)) drivers.unshift(driver)
}

/** The driver whose scheme a place has; null for the path of a file. */
export function driverByScheme(place: string): LedgerDriver | null {
  return drivers.find((driver) => driver.matches(place)) ?? null
}
