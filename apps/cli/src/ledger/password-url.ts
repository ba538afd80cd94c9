// Checks for database URLs among the arguments. This module imports no packages, because `main` uses it before
// loading anything.
import { CliError, EXIT } from '../exit.js'

/** Whether an argument is the URL of a PostgreSQL server rather than a file. */
export function isServer(place: string): boolean {
  return /^postgres(?:ql)?:\/\//i.test(place)
}

/**
 * Rejects passwords on the command line, which every user who can list processes can read.
 *
 * @throws CliError if a URL contains a password; the message does not repeat it
 */
export function requireNoPasswords(args: readonly string[]): void {
  if (!args.some((arg) => isServer(arg) && (/^[^?]*:\/\/[^?]*:.*@/.test(arg) || /[?&]password=/i.test(arg)))) return
  throw new CliError(
    EXIT.usage,
    'a URL on the command line contains a password, which other users can see',
    'remove it and use PGPASSWORD, PGPASSFILE or ~/.pgpass',
  )
}
