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
    .summary('print, or apply, the tables and roles')
    .description(
      'Prints the statements that make the tables, the trigger that refuses to change what is on record, and the roles: writers may add entries and ' +
        'move the head, readers read, and nobody but the owner may change or delete an entry. With --apply they are applied, all of them or none; again they do nothing.',
    )
    .argument('<database>', 'postgres://user@host/database; the user may make schemas and roles')
    .option('--apply', 'apply them')
    .option('--no-roles', 'without roles: everything belongs to whoever applies it')
    .option(
      '--separate-roles',
      'bind each login to the ledgers that it made, and let only logins of the role for approvers approve (default for new databases)',
    )
    .option('--no-separate-roles', 'every login of the role for writers may write all ledgers and answer approvals')
    .addHelpText(
      'after',
      `
Examples:
  $ sudoagent postgres init postgres://admin@db.example.com/evidence > init.sql
  $ sudoagent postgres init postgres://admin@db.example.com/evidence --apply
Then give each host a login of its own: CREATE ROLE agent1 LOGIN PASSWORD '…' IN ROLE sudoagent_writer`,
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
    throw new CliError(EXIT.usage, '--separate-roles contradicts --no-roles', 'leave one of them out')
  const { requireServer } = await import('../../ledger/place.js')
  requireServer(database)
  const { applySchema, parseTarget, SCHEMA_VERSION, schemaSql } = await import('@sudoagent/postgres')
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
    `give each host a login: CREATE ROLE agent1 LOGIN PASSWORD '…' IN ROLE ${schema}_writer`,
  )
  if (isSeparate)
    await printMessage(
      io,
      'hint',
      `and each approver one of another kind: CREATE ROLE alice LOGIN PASSWORD '…' IN ROLE ${schema}_approver`,
    )
  else
    await printMessage(io, 'note', 'its roles are not separate: `sudoagent postgres check` says what that leaves open')
  return EXIT.ok
}
