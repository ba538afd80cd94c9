import type { InspectedCheckpoint, Inspection } from '@sudoagent/ledger/inspect'
import type { Command } from 'commander'
import { CliError, EXIT, type ExitCode } from '../exit.js'
import { type Io, print } from '../terminal/io.js'

export interface InspectOptions {
  readonly ledger: string
  readonly json?: boolean
}

export function register(program: Command, io: Io): void {
  program
    .command('inspect')
    .summary("show a ledger's metadata (unverified)")
    .description(
      'Shows the size, head, keys, checkpoints, witnesses, open stops, questions and calls, and files of a ledger. Verifies nothing; to verify, use ' +
        '`sudoagent verify`.',
    )
    .argument('<ledger>', 'SQLite or JSONL file, or postgres://host/database?ledger=name')
    .option('--json', 'print one JSON value')
    .addHelpText(
      'after',
      `
Example:
  $ sudoagent inspect ledger.sqlite`,
    )
    .action(async (ledger: string, options: Omit<InspectOptions, 'ledger'>) => {
      io.exitCode = await run({ ledger, ...options }, io)
    })
}

interface LedgerFile {
  readonly path: string
  readonly bytes: number
}

export async function run({ ledger, json = false }: InspectOptions, io: Io): Promise<ExitCode> {
  const { inspect } = await import('@sudoagent/ledger/inspect')
  const { withLedger } = await import('../ledger/ledger-file.js')
  const { filesOf } = await import('../terminal/same-file.js')
  const inspection = await withLedger(ledger, io, false, ({ reader }) => inspect(reader))
  const { entries, unreadable } = inspection
  if (unreadable > 0 && unreadable === entries) {
    const { guessKindOf } = await import('../input/input-file.js')
    const hint = (await guessKindOf(ledger)) ?? 'give the path of a SQLite or JSONL ledger'
    throw new CliError(EXIT.failed, `\`${ledger}\` has no readable entries`, hint)
  }
  const files = await filesOf(ledger)
  // Ledgers are not split, so each ledger is a single shard.
  const value = { ...inspection, shards: [{ path: ledger, entries: inspection.entries }], files }
  await print(
    io.stdout,
    json ? `${JSON.stringify(value, null, 2)}\n` : await render(inspection, files, io.stdout.columns),
  )
  if (unreadable === 0) return EXIT.ok
  const { printMessage } = await import('../terminal/message.js')
  const what = unreadable === 1 ? '1 entry cannot be read' : `${unreadable} entries cannot be read`
  await printMessage(io, 'error', `${what}, so the counts above may be too small`)
  await printMessage(io, 'hint', '`sudoagent verify` shows the problems')
  return EXIT.failed
}

async function render(of: Inspection, files: readonly LedgerFile[], columns: number | undefined): Promise<string> {
  const { fieldRow } = await import('../text/rows.js')
  const { genesis, keys, stops, questions } = of
  const rows: (readonly [string, string])[] = [
    ['origin', of.origin ?? 'unknown: the first entry cannot be read'],
    ['entries', `${of.entries} (${of.decisions} decisions, ${of.outcomes} outcomes, ${of.open} open)`],
    ...(of.unreadable === 0 ? [] : [['unreadable', `${of.unreadable} entries`] as const]),
    [
      'genesis',
      genesis === null
        ? 'none: an older ledger'
        : `${genesis.ledger_id}, by ${genesis.software.name} ${genesis.software.version}, entries ${genesis.entries_signed ? 'signed' : 'not signed'}`,
    ],
    ...keys.map(({ key_id: id, added_at: since, added_by: by, retired_at: until }) => {
      const from = by === null ? `since entry ${since}` : `since entry ${since}, added by key ${by}`
      return ['key', `${id}, ${from}${until === null ? '' : `, retired at entry ${until}`}`] as const
    }),
    ['head', checkpointLine(of.head, of.entries)],
    ['cosigned', checkpointLine(of.cosigned, of.entries)],
    ...(of.closed_at === null ? [] : [['closed', `at entry ${of.closed_at}`] as const]),
    ...(stops.length === 0 ? [] : [['stops', `${stops.length} open`] as const]),
    ...(questions.open + questions.expired === 0 ? [] : [['questions', questionsLine(questions)] as const]),
    ...of.open_questions.map(({ position, request_id: id, agent_id: agent, expires_at: until }) => {
      return ['asked', `${id}, by ${agent} at entry ${position}, until ${until}`] as const
    }),
    ...of.open_calls.map(({ position, request_id: id }) => ['open', `${id}, decided at entry ${position}`] as const),
    ...files.map(({ path, bytes }) => ['file', `${path}, ${bytes} bytes`] as const),
  ]
  const text = rows.map(([name, value]) => fieldRow(name, 10, value, { columns })).join('')
  return `${text}\nNone of this was verified.\n`
}

const questionsLine = ({ open, expired }: Inspection['questions']): string =>
  `${open} open${expired === 0 ? '' : `, ${expired} expired without a decision`}`

function checkpointLine(of: InspectedCheckpoint | null, entries: number): string {
  if (of === null) return 'none'
  if ('problem' in of) return `cannot be read: ${of.problem}`
  const signers = of.signatures.map(({ name, key_id: id, time }) => {
    if (time !== null) return `witness ${name} at ${new Date(time * 1000).toISOString()}`
    return id === null ? `a key of ${name}` : `key ${id}`
  })
  const by = signers.length === 0 ? 'not signed' : `signed by ${signers.join(', ')}`
  const behind = entries - of.size
  return `of ${of.size} entries, root ${of.root}, ${by}${behind > 0 ? `; ${behind} entries after it` : ''}`
}
