// Writes entries in a format to standard output or a file; shared by export, filter and search.

import { extname } from 'node:path'
import type { EntryRecord } from '@sudoagent/ledger/entry'
import { type ExportFormat, exportCsv, exportJson, exportNdjson } from '@sudoagent/ledger/export'
import { CliError, EXIT } from '../exit.js'
import { escapeOutput, escapeOutputRow } from '../text/escape-output.js'
import { painter } from '../text/paint.js'
import { formatTable } from '../text/table.js'
import type { Io } from './io.js'
import { isStdout, openOutput } from './output.js'

export type Format = ExportFormat | 'table'

export interface Delivery {
  /** The ledger that is read. */
  readonly ledger: string
  readonly format: Format
  /** `--output`; undefined or `-` is standard output. */
  readonly output: string | undefined
  /** Called before the first character is written to a terminal. */
  readonly beforeTerminal: () => void
}

const FORMAT_OF: ReadonlyMap<string, ExportFormat> = new Map([
  ['.json', 'json'],
  ['.ndjson', 'ndjson'],
  ['.jsonl', 'ndjson'],
  ['.csv', 'csv'],
])

/**
 * Returns the format given by `--format` or by the extension of the output file; `otherwise` for a name without an
 * extension.
 *
 * @throws CliError for an extension that does not name a format: `report.html` would contain lines of JSON
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
      `use one of ${[...FORMAT_OF.keys()].join(', ')}, or set --format`,
    )
  return named ?? otherwise
}

/**
 * Writes the entries. An output file appears once all entries are written, and only if there is at least one entry.
 *
 * @returns the number of entries
 * @throws any error from reading the entries, CliError if the output cannot be written, PipeClosed
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

/** Writes text that is already in the format. @param count - the number of entries so far */
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
    // An empty file could be mistaken for a result. On standard output, an empty list is a valid result.
    if (toStdout || count() > 0) await output.finish()
    return count()
  } finally {
    await output.discard()
  }
}

/** Escapes text for a terminal. A table is already escaped. */
function shown(text: string, format: Format): string {
  if (format === 'table') return text
  return format === 'csv' ? escapeOutputRow(text) : escapeOutput(text)
}

/** Returns the message to print if `deliver` found no entries. */
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
