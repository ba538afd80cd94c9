// Selects the driver for a ledger. A place is a file path or a URL, and each kind of store has a driver:
//
//   ledger.sqlite, ledger.db          sqlite     by content; a new file by its name
//   ledger.jsonl                      jsonl      by content; a new file by its name
//   memory:name                       memory     one ledger for each name, for the lifetime of the process
//   postgres://user@host/database     postgres   `@sudoagent/postgres`, if installed
//
// To add a store, write a driver and add it to the list in this file, or call `addLedgerDriver` from a different
// package. `test/store/contract.ts` tests the requirements for readers and writers.
import { LedgerError } from '../error.js'
import type { LedgerKind, LedgerReader } from '../port/reader.js'
import type { ControlWriter, LedgerWriter } from '../port/writer.js'
import type { WriterOptions } from '../write/advance.js'

/** A kind of store. */
export interface LedgerDriver {
  /** The `kind` of its readers. */
  readonly kind: LedgerKind
  /** Whether a place belongs to this driver, based only on its text (the scheme of a URL). Must not throw. */
  matches(place: string): boolean
  /** @throws LedgerError (as a rejection) */
  openReader(place: string): Promise<LedgerReader>
  /** Opens a ledger, or creates it. @throws LedgerError (as a rejection) */
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

/** A separate package that is imported on demand, so that other ledgers do not need a PostgreSQL client. */
async function postgresDriver(): Promise<LedgerDriver> {
  try {
    // The package name is not a literal in the import, because that package depends on this package.
    const { postgresDriver } = (await import(POSTGRES_PACKAGE)) as { readonly postgresDriver: LedgerDriver }
    return postgresDriver
  } catch (cause) {
    throw new LedgerError('DRIVER_MISSING', `ledgers in PostgreSQL need the package \`${POSTGRES_PACKAGE}\``, {
      hint: `npm install ${POSTGRES_PACKAGE}`,
      cause,
    })
  }
}

/** The file drivers. They do not match a scheme: `open.ts` selects a file driver by the content of the file. */
export const sqlite: LedgerDriver = {
  kind: 'sqlite',
  matches: () => false,
  // Imported on demand, so that reading JSONL does not load the native module.
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
 * Adds a driver to the front of the list, so that it takes precedence over all existing drivers.
 *
 * @example
 * addLedgerDriver({ kind: 'key-value', matches: (place) => place.startsWith('kv:'), openReader, openWriter })
 */
export function addLedgerDriver(driver: LedgerDriver): void {
  if (!drivers.includes(driver)) drivers.unshift(driver)
}

/** Whether a place is a file path, not a URL. */
export const isFilePath = (place: string): boolean => driverByScheme(place) === null

/** The driver for the scheme of a place; null for the path of a file. */
export function driverByScheme(place: string): LedgerDriver | null {
  return drivers.find((driver) => driver.matches(place)) ?? null
}
