import type { EntryRecord } from '../entry/record.js'
import { exportRecords, type Format } from './format.js'

/** Text before each entry except the first. */
const SEPARATOR = ',\n'

export const JSON_FORMAT: Format = {
  start: '',
  first: (rows) => `[\n${rows.slice(SEPARATOR.length)}`,
  end: (isEmpty) => (isEmpty ? '[]\n' : '\n]\n'),
  rowMaker: () => ({
    row: ({ json }) => SEPARATOR + json,
    plain: (_, line) => SEPARATOR + line.text,
  }),
}

/** Exports one JSON array, with one entry on each line, exactly as stored. */
export function exportJson(records: AsyncIterable<EntryRecord>): AsyncGenerator<string> {
  return exportRecords(JSON_FORMAT, records)
}
