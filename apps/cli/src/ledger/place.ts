// Where a ledger is: a file, or a ledger of a PostgreSQL database. What speaks to a server is loaded for that alone.
import { type LedgerReader, openLedger } from '@sudoagent/ledger'
import { CliError, EXIT } from '../exit.js'
import { isServer } from './password-url.js'

export { isServer }

/** @throws LedgerError as `openLedger` and `openPostgresLedger` */
export async function openPlace(place: string): Promise<LedgerReader> {
  if (!isServer(place)) return openLedger(place)
  const { openPostgresLedger } = await import('@sudoagent/postgres')
  return openPostgresLedger(place)
}

/** @throws CliError when a place is no database */
export function requireServer(place: string): void {
  if (isServer(place)) return
  throw new CliError(EXIT.usage, `\`${place}\` is no PostgreSQL database`, 'postgres://user@host/database')
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
