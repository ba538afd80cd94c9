// `sudoagent postgres …`: what a PostgreSQL server needs before ledgers can be there.
import type { Command } from 'commander'
import type { Io } from '../../terminal/io.js'
import * as checkCommand from './check.js'
import * as grantCommand from './grant.js'
import * as initCommand from './init.js'

export function register(program: Command, io: Io): void {
  const postgres = program
    .command('postgres')
    .summary('prepare a PostgreSQL database for ledgers')
    .description('A PostgreSQL database holds ledgers, approvals and budgets that many hosts share.')
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
