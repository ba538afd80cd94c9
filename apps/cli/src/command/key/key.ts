// `sudoagent key …` shows key files and changes the signing keys of a ledger. `sudoagent keygen` creates new keys.
//
//   show     key id, fingerprint, public key and vkey of a key file
//   rotate   adds a signing key to a ledger
//   retire   retires a signing key of a ledger
//   close    closes a ledger permanently
//
// Each change is a ledger entry, signed like every entry (docs/ledger-format.md, control entries). A `key_added`
// entry is also signed by the new key, which proves possession of that key. A verifier that trusts only the first key
// can therefore follow the chain of keys:
//
//   entry 1    genesis       signing key A
//   entry 20   key_added     key B, signed by A and B       entries after it: signed by A or B
//   entry 21   key_retired   key A, signed by B             entries after it: signed by B
//
//   $ sudoagent key rotate ledger.sqlite --private-key a.key.pem --new-private-key b.key.pem
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
    .summary('show keys; change the signing keys of a ledger')
    .description('Shows key files and changes the signing keys of a ledger. To create keys, use `sudoagent keygen`.')
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
