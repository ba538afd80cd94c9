// `sudoagent key …`: the commands about keys that are there already; `keygen` makes new ones.
import type { Command } from 'commander'
import type { Io } from '../../terminal/io.js'
import * as closeCommand from './close.js'
import * as retireCommand from './retire.js'
import * as rotateCommand from './rotate.js'
import * as showCommand from './show.js'

const COMMANDS = [showCommand, rotateCommand, retireCommand, closeCommand]

export function register(program: Command, io: Io): void {
  const key = program
    .command('key')
    .summary('show keys, and change those of a ledger')
    .description('Commands about keys that are there already: what a key file holds, and which keys may sign a ledger.')
    .addHelpText(
      'after',
      `
Examples:
  $ sudoagent key show ledger.pub.pem
  $ sudoagent key rotate ledger.sqlite --private-key old.key.pem --new-private-key new.key.pem
  $ sudoagent key show --help`,
    )
  for (const { register } of COMMANDS) register(key, io)
}
