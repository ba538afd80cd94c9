// `sudoagent registry …` records the head of every ledger in a database. The heads are stored in a separate ledger,
// the registry.
//
// A checkpoint stored elsewhere reveals changes of one ledger. A registry does the same for a whole database, and
// also reveals deleted ledgers: `verify --all` uses the recorded heads of each ledger as checkpoints, and reports
// recorded ledgers that are missing. It works like an auditor in Certificate Transparency (RFC 6962, section 5.4).
//
// Each entry is a decision of the action `sudoagent.registry.record` with up to 500 heads as parameters
// (src/ledger/registry.ts), so a registry has no format of its own:
//
//   $ sudoagent registry record postgres://agent@db.example.com/evidence --registry heads.sqlite
//   recorded: the heads of 12 ledgers
//   $ sudoagent verify postgres://auditor@db.example.com/evidence --all --registry heads.sqlite --public-key a.pem
//   anchored: payments.prod, 184211 entries, compared with 30 recorded heads
import type { Command } from 'commander'
import type { Io } from '../../terminal/io.js'
import * as recordCommand from './record.js'

export function register(program: Command, io: Io): void {
  const registry = program
    .command('registry')
    .summary('record the heads of all ledgers in a database')
    .description(
      'A registry is a ledger that records the heads of other ledgers, so that `verify --all` detects missing, truncated and rolled-back ledgers.',
    )
    .addHelpText(
      'after',
      `
Example:
  $ sudoagent registry record postgres://agent@db.example.com/evidence --registry heads.sqlite --private-key registry.key.pem`,
    )
  recordCommand.register(registry, io)
}
