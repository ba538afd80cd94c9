import type { Command } from 'commander'
import { EXIT, type ExitCode } from '../../exit.js'
import { type Io, print } from '../../terminal/io.js'

export interface PostgresCheckOptions {
  readonly database: string
  readonly json?: boolean
}

export function register(postgres: Command, io: Io): void {
  postgres
    .command('check')
    .summary('list database logins with excess rights')
    .description(
      'Lists the logins of a PostgreSQL database that have excess rights: writing the ledgers of other logins, approving their own calls, or ' +
        'deleting charges from a shared budget. Exits with 1 if such a login exists.',
    )
    .argument('<database>', 'postgres://user@host/database')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Example:
  $ sudoagent postgres check postgres://admin@db.example.com/evidence`,
    )
    .action(async (database: string, options: Omit<PostgresCheckOptions, 'database'>) => {
      io.exitCode = await run({ database, ...options }, io)
    })
}

export async function run({ database, json = false }: PostgresCheckOptions, io: Io): Promise<ExitCode> {
  const { requireServer } = await import('../../ledger/place.js')
  requireServer(database)
  const { openRights } = await import('@sudoagent/postgres/schema')
  const open = await openRights(database)
  const { escapeForTerminal } = await import('@sudoagent/crypto/text')
  if (json) await print(io.stdout, `${JSON.stringify({ open }, null, 2)}\n`)
  else
    await print(
      io.stdout,
      open.length === 0 ? 'no excess rights\n' : open.map((line) => `open: ${escapeForTerminal(line)}\n`).join(''),
    )
  if (open.length === 0) return EXIT.ok
  const { printMessage } = await import('../../terminal/message.js')
  await printMessage(
    io,
    'hint',
    '`sudoagent postgres init --separate-roles --apply` separates the roles; `postgres grant` binds a login to a ledger',
  )
  return EXIT.no
}
