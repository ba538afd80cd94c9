// `sudoagent witness …` runs a witness for other ledgers.
import type { Command } from 'commander'
import type { Io } from '../../terminal/io.js'
import * as serveCommand from './serve.js'

export function register(program: Command, io: Io): void {
  const witness = program
    .command('witness')
    .summary('cosign the checkpoints of ledgers')
    .description('A witness cosigns the checkpoints of logs that only grow (C2SP tlog-witness).')
    .addHelpText(
      'after',
      `
Examples:
  $ sudoagent witness serve --key witness.key.pem --name witness.example.com --policy logs.txt --store witness.sqlite
  $ sudoagent witness serve --help`,
    )
  serveCommand.register(witness, io)
}
