// `sudoagent verify` checks a ledger and grades the evidence. The verifier is @sudoagent/ledger; this folder reads
// the evidence files and prints the report.
//
//   options.ts       options and files → the options of the verifier
//   one.ts           one ledger: report, findings, state
//   all.ts           all ledgers of a database, with a registry
//   report-text.ts   the report as text
//
// The checks and the finding codes are in docs/ledger-format.md, section 6. The hash chain links each entry to the
// previous entry; checkpoints, cosignatures and receipts refer to the root of the Merkle tree (RFC 6962). Each grade
// includes the previous grades:
//
//   intact      hash chain, Merkle tree and call rules
//   signed      + every entry and the head are signed by one of the given keys
//   anchored    + the ledger extends every given checkpoint, receipt and state
//   witnessed   + a quorum of the witness policy cosigned the log
//
//   $ sudoagent verify ledger.sqlite --public-key ledger.pub.pem
//   signed: nothing was changed, and every entry is signed by a given key
import { type Command, Option } from 'commander'
import { CliError, EXIT, type ExitCode } from '../../exit.js'
import { repeatable } from '../../option.js'
import type { Io } from '../../terminal/io.js'
import type { VerifyOptions } from './options.js'

const GRADES = ['signed', 'anchored', 'witnessed'] as const

export function register(program: Command, io: Io): void {
  program
    .command('verify')
    .summary('check that a ledger is complete and unchanged')
    .description(
      'Checks every ledger entry: its format, its position in the hash chain and the Merkle tree, its hashes and its signature. Also checks ' +
        'the stored head, that no call ran without an allowing decision, and that the ledger extends the given checkpoints and receipts. Exits ' +
        'with 0 only if there are no findings, with 1 if the evidence does not verify.',
    )
    .argument('<ledger>', 'SQLite or JSONL file, or postgres://host/database?ledger=name')
    .option(
      '--public-key <file>',
      'trusted key, a PEM file or a file with a vkey; this key, or a key that it added, must sign every entry (repeatable)',
      repeatable,
    )
    .option('--checkpoint <file>', 'a checkpoint stored elsewhere; the ledger must extend it (repeatable)', repeatable)
    .option('--receipt <file>', 'a receipt; the ledger must contain its entries (repeatable)', repeatable)
    .option(
      '--witness-policy <file>',
      'C2SP tlog-policy; a quorum of its witnesses must have cosigned a checkpoint of one of its logs',
    )
    .addOption(new Option('--require <grade>', 'lowest acceptable grade').choices(GRADES))
    .option('--origin <name>', 'expected origin; a different origin is a finding')
    .option('--max-tail <n>', 'maximum number of entries after the last checkpoint of the required grade')
    .option('--max-age <seconds>', 'maximum age of that checkpoint')
    .option('--require-outcomes', 'require an outcome for every allowed call')
    .option('--state <file>', 'state file: verification continues where the last run ended; created if missing')
    .option('--all', 'verify every ledger of a PostgreSQL database; <ledger> is then its URL')
    .option(
      '--registry <ledger>',
      'with --all: the ledger with the recorded heads; each ledger must extend its recorded heads',
    )
    .option('--json', 'print the report as JSON')
    .option('--quiet', 'print only errors')
    .addHelpText(
      'after',
      `
Grades. Each grade includes the ones before it; broken and unverified (no given key signed the ledger) are not grades.
  intact     hash chain, Merkle tree and call rules check out
  signed     every entry and the head are signed by a given key
  anchored   the ledger extends every given checkpoint and receipt
  witnessed  a quorum of witnesses cosigned the same log

Examples:
  $ sudoagent verify ledger.sqlite
  $ sudoagent verify ledger.sqlite --public-key ledger.pub.pem --require signed
  $ sudoagent verify ledger.sqlite --public-key ledger.pub.pem --checkpoint last-week.checkpoint
  $ sudoagent verify ledger.jsonl --json | jq .findings`,
    )
    .action(async (ledger: string, options: Omit<VerifyOptions, 'ledger'>) => {
      io.exitCode = await run({ ledger, ...options }, io)
    })
}

async function run(options: VerifyOptions, io: Io): Promise<ExitCode> {
  const { all = false, registry } = options
  if (all) return (await import('./all.js')).verifyAll(options, io)
  if (registry === undefined) return (await import('./one.js')).verifyOne(options, io)
  throw new CliError(EXIT.usage, '--registry needs --all', 'a registry covers all ledgers of a database')
}
