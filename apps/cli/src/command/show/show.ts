import { type Command, Option } from 'commander'
import { EXIT, type ExitCode } from '../../exit.js'
import { jsonOption } from '../../option.js'
import { type Io, print } from '../../terminal/io.js'

export interface ShowOptions {
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
    .summary('show everything about one call')
    .description(
      'Shows everything recorded about one call: decision, approval, budget, parameters, outcome and hashes. The call is identified by its request ' +
        'id, or by the position of one of its entries (the first column of filter and search). Prints text on a terminal, otherwise JSON.',
    )
    .argument('<ledger>', 'SQLite or JSONL file, or postgres://host/database?ledger=name')
    .argument('<position|request-id>', 'the call')
    .addOption(new Option('--format <format>', 'default: text on a terminal, json elsewhere').choices(['text', 'json']))
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Examples:
  $ sudoagent show ledger.sqlite 12
  $ sudoagent show ledger.sqlite 083a0f8c-664e-4692-9c0d-fb611024f7a4 --format text`,
    )
    .action(async (ledger: string, call: string, options: Pick<ShowOptions, 'format' | 'json'>) => {
      io.exitCode = await run({ ledger, call, ...options }, io)
    })
}

export async function run({ ledger, call, format, json: isJson = false }: ShowOptions, io: Io): Promise<ExitCode> {
  const { findIn, withLedger } = await import('../../ledger/ledger-file.js')
  const { readStory, storyJson, storyText } = await import('./call-text.js')
  const { escapeOutput } = await import('../../text/escape-output.js')
  const { painter } = await import('../../text/paint.js')
  const { printMessage } = await import('../../terminal/message.js')
  const key = POSITION.test(call) ? { position: Number(call) } : { requestId: call }
  const story = await withLedger(ledger, io, false, ({ reader }) => findIn(reader, () => readStory(reader, key)))
  const asText = (format ?? (io.stdout.isTerminal && !isJson ? 'text' : 'json')) === 'text'
  const json = (): string => (io.stdout.isTerminal ? escapeOutput(storyJson(story)) : storyJson(story))
  await print(io.stdout, asText ? storyText(story, await painter(io.stdout.colour), io.stdout.columns) : json())
  if (asText && io.stdout.isTerminal)
    await printMessage(io, 'hint', 'none of this was verified; run `sudoagent verify` to verify the ledger')
  return EXIT.ok
}
