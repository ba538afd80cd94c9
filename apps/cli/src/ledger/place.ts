// Where a ledger is: a file, or a ledger of a PostgreSQL database. What speaks to a server is loaded for that alone.
import {
  addLedgerDriver,
  type ControlWriter,
  type LedgerReader,
  type LedgerWriter,
  type OpenWriterOptions,
  openLedgerReader,
  openLedgerWriter,
} from '@sudoagent/ledger'
import { CliError, EXIT } from '../exit.js'
import { isServer } from './password-url.js'

export { isServer }

// The package is part of this bundle, so it cannot be found by its name.
addLedgerDriver({
  kind: 'postgres',
  matches: isServer,
  openReader: async (url) => (await import('@sudoagent/postgres')).postgresDriver.openReader(url),
  openWriter: async (url, options) => (await import('@sudoagent/postgres')).postgresDriver.openWriter(url, options),
})

/** @throws LedgerError as `openLedgerReader` */
export function openPlace(place: string): Promise<LedgerReader> {
  return openLedgerReader(place)
}

/** Opens a ledger for writing, and makes it where it is not there. @throws LedgerError as `openLedgerWriter` */
export function openPlaceForWriting(
  place: string,
  options: OpenWriterOptions = {},
): Promise<LedgerWriter & ControlWriter> {
  return openLedgerWriter(place, options)
}

/** @throws CliError when a place is no database */
export function requireServer(place: string): void {
  if (isServer(place)) return
  throw new CliError(EXIT.usage, `\`${place}\` is not a PostgreSQL database`, 'postgres://user@host/database')
}

/**
 * For what must be a file on this machine.
 *
 * @param what - names it: `--ledger`, `<store>`
 * @throws CliError when it is the URL of a server
 */
export function requireFilePlace(what: string, place: string | undefined, hint: string): void {
  if (place === undefined || !isServer(place)) return
  throw new CliError(EXIT.usage, `${what} is the URL of a PostgreSQL database, and must be a file`, hint)
}
