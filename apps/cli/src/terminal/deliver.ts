// Entries → a format → standard output or a file. What export, filter and search have in common.

import { extname } from 'node:path'
import { type EntryRecord, type ExportFormat, exportCsv, exportJson, exportNdjson } from '@sudoagent/ledger'
import { CliError, EXIT } from '../exit.js'
import { escapeForTerminal, escapeRowForTerminal } from '../text/harmless.js'
import { painter } from '../text/paint.js'
import { formatTable } from '../text/table.js'
import type { Io } from './io.js'
import { isStdout, openOutput } from './output.js'

export type Format = ExportFormat | 'table'

export interface Delivery {
  /** The ledger that is being read. */
  readonly ledger: string
  readonly format: Format
  /** `--output`; undefined or `-` is standard output. */
  readonly output: string | undefined
  /** Called before the first character goes to a terminal. */
  readonly beforeTerminal: () => void
}

const FORMAT_OF: ReadonlyMap<string, ExportFormat> = new Map([
  ['.json', 'json'],
  ['.ndjson', 'ndjson'],
  ['.jsonl', 'ndjson'],
  ['.csv', 'csv'],
])

/**
 * The format that was asked for, by name or by the ending of the output file; `otherwise` for a name without an ending.
 *
 * @throws CliError for an ending that names no format: `report.html` with lines of JSON in it would be taken for something else
 */
export function chooseFormat<Chosen extends Format>(
  format: Chosen | undefined,
  output: string | undefined,
  otherwise: Chosen,
): Chosen | ExportFormat {
  if (format !== undefined || isStdout(output)) return format ?? otherwise
  const ending = extname(output ?? '')
  const named = FORMAT_OF.get(ending.toLowerCase())
  if (named === undefined && ending !== '')
    throw new CliError(
      EXIT.usage,
      `\`${output}\` ends in \`${ending}\`, which does not name a format`,
      `use one of ${[...FORMAT_OF.keys()].join(', ')}, or say the format with --format`,
    )
  return named ?? otherwise
}

/**
 * Writes the entries and says how many there were. An output file appears when there was at least one and all of them were written.
 *
 * @throws whatever reading the entries throws, CliError for an output that cannot be written, PipeClosed
 */
export async function deliver(records: AsyncIterable<EntryRecord>, delivery: Delivery, io: Io): Promise<number> {
  let count = 0
  const counted = async function* (): AsyncGenerator<EntryRecord> {
    for await (const record of records) {
      count += 1
      yield record
    }
  }
  const texts = await formatted(counted(), delivery.format, isStdout(delivery.output), io)
  return deliverText(texts, () => count, delivery, io)
}

/**
 * The same with texts in the format.
 *
 * @param count - of the entries so far
 */
export async function deliverText(
  texts: AsyncIterable<string>,
  count: () => number,
  delivery: Delivery,
  io: Io,
): Promise<number> {
  const toStdout = isStdout(delivery.output)
  const toTerminal = toStdout && io.stdout.isTerminal
  const output = await openOutput(delivery.output, delivery.ledger, io)
  try {
    for await (const text of texts) {
      if (toTerminal) delivery.beforeTerminal()
      await output.write(toTerminal ? shown(text, delivery.format) : text)
    }
    // An empty file would look like a result; on standard output the empty form of the format is one.
    if (toStdout || count() > 0) await output.finish()
    return count()
  } finally {
    await output.discard()
  }
}

/** A table is made for people already; the others hand out text as it is. */
function shown(text: string, format: Format): string {
  if (format === 'table') return text
  return format === 'csv' ? escapeRowForTerminal(text) : escapeForTerminal(text)
}

/** What is said when `deliver` found nothing. */
export function noneWritten(says: string, output: string | undefined): string {
  return isStdout(output) ? says : `${says}; \`${output}\` was not written`
}

async function formatted(
  records: AsyncIterable<EntryRecord>,
  format: Format,
  toStdout: boolean,
  io: Io,
): Promise<AsyncIterable<string>> {
  if (format === 'json') return exportJson(records)
  if (format === 'ndjson') return exportNdjson(records)
  if (format === 'csv') return exportCsv(records)
  return formatTable(records, {
    columns: toStdout ? io.stdout.columns : undefined,
    paint: await painter(toStdout && io.stdout.colour),
  })
}
