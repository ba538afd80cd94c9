// Where a ledger is: a file, or a ledger of a PostgreSQL database. What speaks to a server is loaded for that alone.
import { addLedgerDriver } from '@sudoagent/ledger'
import { CliError, EXIT } from '../exit.js'
import { isServer } from './password-url.js'

export { openLedgerReader, openLedgerWriter } from '@sudoagent/ledger'
export { isServer }

// The package is part of this bundle, so it cannot be found by its name. Whoever opens a ledger imports it from here.
addLedgerDriver({
  kind: 'postgres',
  matches: isServer,
  openReader: async (url) => (await import('@sudoagent/postgres')).postgresDriver.openReader(url),
  openWriter: async (url, options) => (await import('@sudoagent/postgres')).postgresDriver.openWriter(url, options),
})

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
