// `sudoagent registry …`: a ledger of ledgers.
import type { Command } from 'commander'
import type { Io } from '../../terminal/io.js'
import * as recordCommand from './record.js'

export function register(program: Command, io: Io): void {
  const registry = program
    .command('registry')
    .summary('keep a ledger of ledgers')
    .description(
      'A registry is a ledger in which the heads of other ledgers are recorded, so that one that is withheld, cut or rolled back shows (`verify --all`).',
    )
    .addHelpText(
      'after',
      `
Example:
  $ sudoagent registry record postgres://agent@db.example.com/evidence --registry heads.sqlite --private-key registry.key.pem`,
    )
  recordCommand.register(registry, io)
}
