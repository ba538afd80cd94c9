// `sudoagent postgres …` prepares a PostgreSQL database that stores ledgers, approvals and budgets for many hosts.
//
//   init    creates the tables, the trigger and the roles, or prints their SQL
//   check   lists logins with more rights than they should have
//   grant   lets another login write a ledger
//
// @sudoagent/postgres contains the statements (src/schema). With separate roles, the default, a login can append
//   only to the ledgers that it created or was granted, and only logins with the approver role can answer
//   approvals:
//
//   sudoagent_owner     owns the tables
//   sudoagent_writer    appends entries, moves the head, charges budgets, asks for approvals
//   sudoagent_approver  answers approvals
//   sudoagent_reader    reads
//
//   $ sudoagent postgres init postgres://admin@db.example.com/evidence --apply
//   $ psql -c "CREATE ROLE agent1 LOGIN PASSWORD '…' IN ROLE sudoagent_writer"
import type { Command } from 'commander'
import type { Io } from '../../terminal/io.js'
import * as checkCommand from './check.js'
import * as grantCommand from './grant.js'
import * as initCommand from './init.js'

export function register(program: Command, io: Io): void {
  const postgres = program
    .command('postgres')
    .summary('prepare a PostgreSQL database for ledgers')
    .description('Prepares a PostgreSQL database that stores ledgers, approvals and budgets for many hosts.')
    .addHelpText(
      'after',
      `
Examples:
  $ sudoagent postgres init postgres://admin@db.example.com/evidence
  $ sudoagent postgres init postgres://admin@db.example.com/evidence --apply`,
    )
  initCommand.register(postgres, io)
  checkCommand.register(postgres, io)
  grantCommand.register(postgres, io)
}
