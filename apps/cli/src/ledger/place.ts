// Opens ledgers by place: a path, or the URL of a ledger in a PostgreSQL database. Every command opens ledgers
// through this folder.
//
//   place.ts             files and URLs; loads the PostgreSQL client only for a URL
//   ledger-file.ts       a reader for one command, with a progress line
//   ledger-writer.ts     a writer for one command
//   approval-store.ts    an approval store for one command
//   stored-checkpoint.ts the signed head of a ledger
//   registry.ts          a ledger that records the heads of other ledgers
//   password-url.ts      rejects URLs with passwords before anything is opened
//
// The content decides whether a file is SQLite or JSONL; the name matters only for a new file. A URL has the form
// of libpq's connection URIs (PostgreSQL documentation, “Connection URIs”) with the parameter `ledger`:
//
//   openLedgerReader('ledger.sqlite')                              kind: sqlite
//   openLedgerReader('postgres://auditor@db/evidence?ledger=pay')  kind: postgres
import { addLedgerDriver } from '@sudoagent/ledger'
import { CliError, EXIT } from '../exit.js'
import { isServer } from './password-url.js'

export { openLedgerReader, openLedgerWriter } from '@sudoagent/ledger'
export { isServer }

// @sudoagent/postgres is bundled, so @sudoagent/ledger cannot import it by name. Commands that open ledgers import
// this module to register the driver.
addLedgerDriver({
  kind: 'postgres',
  matches: isServer,
  openReader: async (url) => (await import('@sudoagent/postgres')).postgresDriver.openReader(url),
  openWriter: async (url, options) => (await import('@sudoagent/postgres')).postgresDriver.openWriter(url, options),
})

/** @throws CliError if a place is not the URL of a database */
export function requireServer(place: string): void {
  if (isServer(place)) return
  throw new CliError(
    EXIT.usage,
    `\`${place}\` is not a PostgreSQL database`,
    'the form is postgres://user@host/database',
  )
}

/**
 * Requires that a place is a local file.
 *
 * @param what - the name of the argument: `--ledger`, `<store>`
 * @throws CliError if the place is the URL of a server
 */
export function requireFilePlace(what: string, place: string | undefined, hint: string): void {
  if (place === undefined || !isServer(place)) return
  throw new CliError(EXIT.usage, `${what} must be a file, not the URL of a PostgreSQL database`, hint)
}
