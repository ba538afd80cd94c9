import type { LedgerReader } from '@sudoagent/ledger'
import { type Command, Option } from 'commander'
import { CliError, EXIT, type ExitCode } from '../../exit.js'
import { jsonOption } from '../../option.js'
import { type Io, print } from '../../terminal/io.js'
import type { Paint } from '../../text/paint.js'
import type { Compare, ComparisonOptions } from './bound-values.js'

export interface ShowOptions extends ComparisonOptions {
  readonly ledger: string
  /** A position (only digits) or a request id. */
  readonly call: string
  readonly format?: 'text' | 'json'
  /** Same as `format: 'json'`. */
  readonly json?: boolean
}

/** A position has at most 15 digits, so that it is an exact number; a longer string is a request id. */
const POSITION = /^\d{1,15}$/

export function register(program: Command, io: Io): void {
  program
    .command('show')
    .summary('show everything about one call, or one control entry')
    .description(
      'Shows everything recorded about one call: question, decision, approval, budget, parameters, outcome and hashes. The call is identified by its ' +
        'request id, or by the position of one of its entries (the first column of filter and search). The position of another control entry, such as ' +
        'a stop or a change of keys, shows that entry. Prints text on a terminal, otherwise JSON.',
    )
    .argument('<ledger>', 'SQLite or JSONL file, or postgres://host/database?ledger=name')
    .argument('<position|request-id>', 'the call, or the control entry')
    .addOption(new Option('--format <format>', 'default: text on a terminal, json elsewhere').choices(['text', 'json']))
    .addOption(jsonOption())
    .option('--commitment-key <file>', 'key of commitments; compares the call with --parameters or --result')
    .addOption(
      new Option(
        '--parameters <file>',
        'check that the call had these parameters before redaction: {"args":[…],"kwargs":{…}}, `-` for stdin',
      ).conflicts('result'),
    )
    .option('--result <file>', 'check that the call had this result, in JSON; `-` for stdin')
    .addHelpText(
      'after',
      `
With --commitment-key, prints whether the values are those of the call, and exits with 0 if they are, otherwise with 1.

Examples:
  $ sudoagent show ledger.sqlite 12
  $ sudoagent show ledger.sqlite 12 --commitment-key commitment.key --parameters parameters.json
  $ sudoagent show ledger.sqlite 083a0f8c-664e-4692-9c0d-fb611024f7a4 --format text`,
    )
    .action(async (ledger: string, call: string, options: Omit<ShowOptions, 'ledger' | 'call'>) => {
      io.exitCode = await run({ ledger, call, ...options }, io)
    })
}

export async function run(options: ShowOptions, io: Io): Promise<ExitCode> {
  const { ledger, call, format, json: isJson = false } = options
  const { findIn, withLedger } = await import('../../ledger/ledger-file.js')
  const { escapeOutput } = await import('../../text/escape-output.js')
  const { painter } = await import('../../text/paint.js')
  const { printMessage } = await import('../../terminal/message.js')
  const isComparison = [options.commitmentKey, options.parameters, options.result].some((path) => path !== undefined)
  const compare = isComparison ? await (await import('./bound-values.js')).readComparison(options, io) : null
  const shown = await withLedger(ledger, io, false, ({ reader }) => findIn(reader, () => read(reader, call, compare)))
  const asText = (format ?? (io.stdout.isTerminal && !isJson ? 'text' : 'json')) === 'text'
  const json = (): string => (io.stdout.isTerminal ? escapeOutput(shown.json()) : shown.json())
  await print(io.stdout, asText ? shown.text(await painter(io.stdout.colour), io.stdout.columns) : json())
  if (asText && io.stdout.isTerminal)
    await printMessage(io, 'hint', 'none of this was verified; run `sudoagent verify` to verify the ledger')
  return shown.exit ?? EXIT.ok
}

/** The two forms of a result. */
interface Shown {
  readonly json: () => string
  readonly text: (paint: Paint, columns: number | undefined) => string
  /** Default: 0. */
  readonly exit?: ExitCode
}

/** @throws LedgerError ENTRY_NOT_FOUND */
async function read(reader: LedgerReader, call: string, compare: Compare | null): Promise<Shown> {
  const { readStory, storyJson } = await import('./story.js')
  const { storyText } = await import('./call-text.js')
  const ofCall = async (requestId: string): Promise<Shown> => {
    const story = await readStory(reader, requestId)
    if (compare !== null) return compare(story)
    return { json: () => storyJson(story), text: (paint, columns) => storyText(story, paint, columns) }
  }
  if (!POSITION.test(call)) return ofCall(call)
  const { entryAt } = await import('@sudoagent/ledger/inspect')
  const { askedOf, isCallEntry } = await import('@sudoagent/ledger/entry')
  const record = await entryAt(reader, Number(call))
  const { entry } = record
  if (isCallEntry(entry)) return ofCall(entry.request_id)
  const asked = askedOf(entry)
  if (asked !== null) return ofCall(asked.request_id)
  if (compare !== null)
    throw new CliError(EXIT.usage, `entry ${call} does not belong to a call`, 'only calls have parameters and results')
  const { controlJson, controlText, readControlRecord } = await import('./control-text.js')
  const control = await readControlRecord(reader, { ...record, entry })
  return { json: () => controlJson(control), text: (paint, columns) => controlText(control, paint, columns) }
}
