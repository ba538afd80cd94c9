import type { Command } from 'commander'
import { CliError, EXIT, type ExitCode } from '../../exit.js'
import { type Io, print } from '../../terminal/io.js'

export interface PostgresInitOptions {
  readonly database: string
  readonly apply?: boolean
  readonly roles?: boolean
  readonly separateRoles?: boolean
}

export function register(postgres: Command, io: Io): void {
  postgres
    .command('init')
    .summary('print or create the tables and roles')
    .description(
      'Prints the SQL statements that create the tables, the roles, and a trigger that rejects changes to recorded entries. Writers can append ' +
        'entries and move the head, readers can read, and only the owner can change or delete an entry. With --apply, executes the statements in ' +
        'one transaction; running the command again changes nothing.',
    )
    .argument('<database>', 'postgres://user@host/database; the user can create schemas and roles')
    .option('--apply', 'execute the statements')
    .option('--no-roles', 'create no roles; the user that executes the statements owns everything')
    .option(
      '--separate-roles',
      'bind each login to the ledgers that it created; only logins with the approver role can approve (default for new databases)',
    )
    .option('--no-separate-roles', 'every login with the writer role can write all ledgers and answer approvals')
    .addHelpText(
      'after',
      `
Examples:
  $ sudoagent postgres init postgres://admin@db.example.com/evidence > init.sql
  $ sudoagent postgres init postgres://admin@db.example.com/evidence --apply
Then create a login for each host: CREATE ROLE agent1 LOGIN PASSWORD '…' IN ROLE sudoagent_writer`,
    )
    .action(async (database: string, options: Omit<PostgresInitOptions, 'database'>) => {
      io.exitCode = await run({ database, ...options }, io)
    })
}

export async function run(
  { database, apply = false, roles = true, separateRoles }: PostgresInitOptions,
  io: Io,
): Promise<ExitCode> {
  if (!roles && separateRoles === true)
    throw new CliError(EXIT.usage, '--separate-roles contradicts --no-roles', 'omit one of them')
  const { requireServer } = await import('../../ledger/place.js')
  requireServer(database)
  const { applySchema, SCHEMA_VERSION, schemaSql } = await import('@sudoagent/postgres/schema')
  const { parseTarget } = await import('@sudoagent/postgres/url')
  const { schema, shown } = parseTarget(database)
  if (!apply) {
    await print(io.stdout, schemaSql({ schema, roles, separateRoles: separateRoles ?? true }))
    return EXIT.ok
  }
  const isSeparate = await applySchema(database, { roles, ...(separateRoles === undefined ? {} : { separateRoles }) })
  await print(io.stdout, `\`${shown}\` has the tables of version ${SCHEMA_VERSION} in schema ${schema}\n`)
  if (!roles) return EXIT.ok
  const { printMessage } = await import('../../terminal/message.js')
  await printMessage(
    io,
    'hint',
    `create a login for each host: CREATE ROLE agent1 LOGIN PASSWORD '…' IN ROLE ${schema}_writer`,
  )
  if (isSeparate)
    await printMessage(
      io,
      'hint',
      `create a login for each approver: CREATE ROLE alice LOGIN PASSWORD '…' IN ROLE ${schema}_approver`,
    )
  else
    await printMessage(
      io,
      'note',
      'the database roles are not separate: `sudoagent postgres check` lists the excess rights',
    )
  return EXIT.ok
}
