import type { VerifyOptions as Checks, Report, VerifiedState } from '@sudoagent/ledger'
import { type Command, Option } from 'commander'
import { CliError, EXIT, type ExitCode } from '../exit.js'
import { type Io, print } from '../io.js'
import { repeatable } from './option.js'

const GRADES = ['signed', 'anchored', 'witnessed'] as const

export interface VerifyOptions {
  readonly ledger: string
  /** Paths of PEM files. */
  readonly publicKey?: readonly string[]
  /** Paths of checkpoints and receipts that were kept elsewhere. */
  readonly checkpoint?: readonly string[]
  readonly receipt?: readonly string[]
  readonly witnessPolicy?: string
  readonly require?: (typeof GRADES)[number]
  readonly maxTail?: string
  readonly requireOutcomes?: boolean
  readonly state?: string
  readonly all?: boolean
  readonly registry?: string
  readonly json?: boolean
  readonly quiet?: boolean
}

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
      'PEM file; every entry must be signed by this key, or one that it added (repeat it for more keys)',
      repeatable,
    )
    .option(
      '--checkpoint <file>',
      'a checkpoint kept elsewhere; the ledger must begin with it (repeatable)',
      repeatable,
    )
    .option('--receipt <file>', 'a receipt; the ledger must contain what it proves (repeatable)', repeatable)
    .option('--witness-policy <file>', 'C2SP tlog-policy; its quorum of witnesses must have cosigned a checkpoint')
    .addOption(new Option('--require <grade>', 'the grade that must be reached').choices(GRADES))
    .option('--max-tail <n>', 'how many entries may stand behind the last checkpoint')
    .option('--require-outcomes', 'every call that was allowed must have an outcome')
    .option('--state <file>', 'remember what was verified, and begin there next time; made when it is not there')
    .option('--all', 'verify every ledger of a PostgreSQL database; <ledger> is then its URL')
    .option('--registry <ledger>', 'with --all: where the heads of the ledgers are on record; each must extend them')
    .option('--json', 'print the report as JSON')
    .option('--quiet', 'print nothing but errors')
    .addHelpText(
      'after',
      `
Grades, each with the ones before it:
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

/** Verifies and reports: text on stdout with findings on stderr, or one JSON value on stdout. */
export async function run(options: VerifyOptions, io: Io): Promise<ExitCode> {
  const { ledger, json = false, quiet = false, state } = options
  if (options.all === true || options.registry !== undefined) return runAll(options, io)
  const { encodeState, verifyFrom } = await import('@sudoagent/ledger')
  const { withLedger } = await import('../io/ledger-file.js')
  const checks = await readChecks(options, io)
  const [{ report, state: verified }, kind] = await withLedger(
    ledger,
    io,
    quiet,
    async ({ reader, showProgress: onProgress }) =>
      [await verifyFrom(reader, { ...checks, onProgress }), reader.kind] as const,
  )
  if (json) await print(io.stdout, `${JSON.stringify(report, null, 2)}\n`)
  else await tell(report, { ledger, kind, quiet }, io)
  if (state !== undefined && verified !== null) {
    const { writeOutput } = await import('../io/output.js')
    await writeOutput(state, encodeState(verified), ledger, io)
  }
  return report.ok ? EXIT.ok : EXIT.no
}

/** Every ledger of a database: a line for each, findings on stderr. */
async function runAll(options: VerifyOptions, io: Io): Promise<ExitCode> {
  const { ledger, registry, json = false, quiet = false } = options
  const single = (['checkpoint', 'receipt', 'state'] as const).find((name) => options[name] !== undefined)
  if (options.all !== true)
    throw new CliError(EXIT.usage, '--registry stands without --all', 'a registry is about all ledgers of a database')
  if (single !== undefined)
    throw new CliError(EXIT.usage, `--${single} is about one ledger, not about --all`, 'verify that ledger by itself')
  const { requireServer } = await import('../io/place.js')
  requireServer(ledger)
  const { verifyAll } = await import('../verify-all.js')
  const { say } = await import('../message.js')
  const verdicts = await verifyAll(ledger, registry, await readChecks(options, io))
  const plain = verdicts.map(({ ledger: name, recorded, report, problem }) => ({
    ledger: name,
    recorded,
    problem,
    report,
  }))
  if (json) await print(io.stdout, `${JSON.stringify(plain, null, 2)}\n`)
  for (const { ledger: name, problem } of verdicts) {
    if (problem !== null) await say(io, 'error', `ledger ${name}: ${problem}`)
  }
  if (!json && !quiet) {
    const { printable } = await import('@sudoagent/ledger')
    const lines = verdicts.map(({ ledger: name, report, recorded, problem }) => {
      const held = registry === undefined ? '' : `, held against ${recorded} recorded heads`
      return `${problem === null ? (report?.verdict ?? 'broken') : 'broken'}: ${printable(name)}, ${report?.entries ?? 0} entries${held}\n`
    })
    await print(io.stdout, lines.join(''))
  }
  if (verdicts.length === 0) await say(io, 'note', 'the database has no ledger')
  return verdicts.length > 0 && verdicts.every(({ problem }) => problem === null) ? EXIT.ok : EXIT.no
}

/** Reads all that the caller holds the ledger against, before the ledger is opened. */
async function readChecks(options: VerifyOptions, io: Io): Promise<Checks> {
  const { checkpoint = [], receipt = [], publicKey = [], maxTail, witnessPolicy, require, requireOutcomes } = options
  const { NOTE_BYTES_MAX, RECEIPT_BYTES_MAX } = await import('@sudoagent/crypto')
  const { readPolicyOption } = await import('../io/policy-file.js')
  const resume = options.state === undefined ? null : await readState(options.state, io)
  const policy = await readPolicyOption(witnessPolicy, io)
  return {
    publicKeys: await readPublicKeys(publicKey),
    checkpoints: await readTexts(checkpoint, 'checkpoint', NOTE_BYTES_MAX, io),
    receipts: await readTexts(receipt, 'receipt', RECEIPT_BYTES_MAX, io),
    ...(policy === undefined ? {} : { witnessPolicy: policy }),
    ...(require === undefined ? {} : { require }),
    ...(maxTail === undefined ? {} : { maxTail: readCount(maxTail) }),
    ...(requireOutcomes === undefined ? {} : { requireOutcomes }),
    ...(resume === null ? {} : { resume }),
  }
}

/** Evidence kept elsewhere, file after file. What is wrong with a text is for the report to say. */
async function readTexts(paths: readonly string[], what: string, bytesMax: number, io: Io): Promise<readonly string[]> {
  const { readText } = await import('../io/input-file.js')
  const texts: string[] = []
  for (const path of paths) texts.push(await readText(path, what, bytesMax, io))
  return texts
}

async function readState(path: string, io: Io): Promise<VerifiedState | null> {
  const { parseState } = await import('@sudoagent/ledger')
  const { readStateFile } = await import('../io/state-file.js')
  const text = await readStateFile(path, io)
  return text === null ? null : parseState(text)
}

function readCount(text: string): number {
  const count = Number(text)
  if (/^\d{1,15}$/.test(text)) return count
  throw new CliError(EXIT.usage, `--max-tail \`${text}\` is no whole number`, 'say how many entries: 0, 100')
}

async function readPublicKeys(paths: readonly string[]) {
  const { PUBLIC_KEYS_MAX } = await import('@sudoagent/ledger')
  if (paths.length > PUBLIC_KEYS_MAX) {
    const hint = 'give the keys that may have signed this ledger'
    throw new CliError(EXIT.usage, `more than ${PUBLIC_KEYS_MAX} public keys are given`, hint)
  }
  const { readPublicKey } = await import('../io/public-key.js')
  return Promise.all(paths.map(readPublicKey))
}

/** Findings and hints to stderr, the verdict and what it rests on to stdout. */
async function tell(report: Report, about: { ledger: string; kind: string; quiet: boolean }, io: Io): Promise<void> {
  const { hintsOf, renderFindings, renderReport } = await import('../render.js')
  const { painter } = await import('../paint.js')
  const { say } = await import('../message.js')
  for (const { kind, text } of renderFindings(report)) await say(io, kind, text)
  if (about.quiet) return
  await print(io.stdout, renderReport(report, about, painter(io.stdout.colour)))
  for (const hint of hintsOf(report)) await say(io, 'hint', hint)
}
