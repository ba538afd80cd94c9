import type { Command } from 'commander'
import { EXIT, type ExitCode } from '../../exit.js'
import { type Io, print } from '../../terminal/io.js'

export interface PostgresGrantOptions {
  readonly database: string
  readonly ledger: string
  readonly to: string
}

export function register(postgres: Command, io: Io): void {
  postgres
    .command('grant')
    .summary('let another login write a ledger')
    .description(
      'Lets another login, or the members of a group, write a ledger in a database with separate roles. The login that created the ledger already can.',
    )
    .argument('<database>', 'postgres://user@host/database; the user owns the tables')
    .requiredOption('--ledger <name>', 'name of the ledger')
    .requiredOption('--to <role>', 'a login, or a group of logins')
    .addHelpText(
      'after',
      `
Example:
  $ sudoagent postgres grant postgres://admin@db.example.com/evidence --ledger payments --to agent2`,
    )
    .action(async (database: string, options: Omit<PostgresGrantOptions, 'database'>) => {
      io.exitCode = await run({ database, ...options }, io)
    })
}

export async function run({ database, ledger, to }: PostgresGrantOptions, io: Io): Promise<ExitCode> {
  const { requireServer } = await import('../../ledger/place.js')
  requireServer(database)
  const { grantWriter } = await import('@sudoagent/postgres/schema')
  await grantWriter(database, ledger, to)
  const { escapeForTerminal } = await import('@sudoagent/crypto/text')
  await print(io.stdout, `\`${escapeForTerminal(to)}\` can write the ledger \`${escapeForTerminal(ledger)}\`\n`)
  return EXIT.ok
}
