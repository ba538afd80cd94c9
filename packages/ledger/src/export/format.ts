// The interface of an export format: the rows, and the text around the rows.

import type { EntryRecord } from '../entry/record.js'
import type { PlainMembers } from '../plain/plain-members.js'

/** Makes the row of an entry. A record and a recognised line of the same entry give the same row. */
export interface RowMaker {
  row(record: EntryRecord): string
  plain(position: number, line: PlainMembers): string
}

export interface Format {
  /** Text before the first row. */
  readonly start: string
  /** Adapts the first batch of rows, for example by removing the leading separator. */
  first(rows: string): string
  end(isEmpty: boolean): string
  rowMaker(): RowMaker
}

/** The text of an export: the given rows, with the text around them. */
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
