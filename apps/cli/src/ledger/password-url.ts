// URLs among the arguments. Apart from what opens them: it is looked at before anything is loaded.
import { CliError, EXIT } from '../exit.js'

/** Whether an argument means a place on a PostgreSQL server, and not a file. */
export function isServer(place: string): boolean {
  return /^postgres(?:ql)?:\/\//i.test(place)
}

/**
 * Whoever may list the processes of this machine reads its command lines.
 *
 * @throws CliError when a URL with a password stands on the command line, without showing it
 */
export function refusePasswords(args: readonly string[]): void {
  if (!args.some((arg) => isServer(arg) && (/^[^?]*:\/\/[^?]*:.*@/.test(arg) || /[?&]password=/i.test(arg)))) return
  throw new CliError(
    EXIT.usage,
    'a URL with a password stands on the command line, where others can see it',
    'leave it out, and set PGPASSWORD, or PGPASSFILE, or write ~/.pgpass',
  )
}
