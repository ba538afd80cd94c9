// What a format is made of: rows of entries, and what stands around them.

import type { EntryRecord } from '../entry/record.js'
import type { PlainMembers } from '../plain/plain-members.js'

/** An entry as its format writes it: out of a record, and, with the same outcome, out of a plain line. */
export interface RowMaker {
  row(record: EntryRecord): string
  plain(position: number, line: PlainMembers): string
}

export interface Format {
  /** Before everything. */
  readonly start: string
  /** The first rows, where they begin otherwise than those that follow. */
  first(rows: string): string
  end(isEmpty: boolean): string
  rowMaker(): RowMaker
}

/** Rows as a whole: one text for each that is given, and those around them. */
export async function* framed(format: Format, rows: AsyncIterable<string>): AsyncGenerator<string> {
  if (format.start !== '') yield format.start
  let isEmpty = true
  for await (const text of rows) {
    yield isEmpty ? format.first(text) : text
    isEmpty = false
  }
  const end = format.end(isEmpty)
  if (end !== '') yield end
}

export async function* exportRecords(format: Format, records: AsyncIterable<EntryRecord>): AsyncGenerator<string> {
  const maker = format.rowMaker()
  const rows = async function* (): AsyncGenerator<string> {
    for await (const record of records) yield maker.row(record)
  }
  yield* framed(format, rows())
}
