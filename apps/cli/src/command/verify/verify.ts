import { type Command, Option } from 'commander'
import { CliError, EXIT, type ExitCode } from '../../exit.js'
import { repeatable } from '../../option.js'
import type { Io } from '../../terminal/io.js'
import type { VerifyOptions } from './options.js'

const GRADES = ['signed', 'anchored', 'witnessed'] as const

export function register(program: Command, io: Io): void {
  program
    .command('verify')
    .summary('check that a ledger is whole and unchanged')
    .description(
      'Checks every entry of a ledger: its form, its place in the chain and in the tree, its hashes and signature, and that no call ran ' +
        'without being allowed; the head that is kept with it; and that it begins with what you kept elsewhere. Exits with 0 only when there ' +
        'is nothing wrong, with 1 when the evidence does not verify.',
    )
    .argument('<ledger>', 'SQLite or JSONL file, or postgres://host/database?ledger=name')
    .option(
      '--public-key <file>',
      'PEM file, or a file with a vkey; every entry must be signed by this key, or one that it added (repeatable)',
      repeatable,
    )
    .option(
      '--checkpoint <file>',
      'a checkpoint kept elsewhere; the ledger must begin with it (repeatable)',
      repeatable,
    )
    .option('--receipt <file>', 'a receipt; the ledger must contain what it proves (repeatable)', repeatable)
    .option(
      '--witness-policy <file>',
      'C2SP tlog-policy; its quorum must have cosigned a checkpoint, signed by a log that it names',
    )
    .addOption(new Option('--require <grade>', 'the grade that must be reached').choices(GRADES))
    .option('--origin <name>', 'the log that is meant; a ledger with another origin is a finding')
    .option('--max-tail <n>', 'how many entries may follow the last checkpoint of the required grade')
    .option('--max-age <seconds>', 'how old that checkpoint may be')
    .option('--require-outcomes', 'every call that was allowed must have an outcome')
    .option('--state <file>', 'remember what was verified, and begin there next time; made when it is not there')
    .option('--all', 'verify every ledger of a PostgreSQL database; <ledger> is then its URL')
    .option('--registry <ledger>', 'with --all: where the heads of the ledgers are on record; each must extend them')
    .option('--json', 'print the report as JSON')
    .option('--quiet', 'print nothing but errors')
    .addHelpText(
      'after',
      `
Grades, each with the ones before it (broken, and unverified where no given key has signed the ledger, are not grades):
  intact     chain, tree and rules hold; nobody vouches for them
  signed     every entry and the head are signed by a key that you gave
  anchored   the ledger begins with every checkpoint and receipt that you kept
  witnessed  enough of your witnesses have seen the same log

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
  throw new CliError(EXIT.usage, '--registry stands without --all', 'a registry is about all ledgers of a database')
}
