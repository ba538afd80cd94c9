import type { EntryRecord } from '../entry/record.js'
import { exportRecords, type Format } from './format.js'

/** Before each entry; the first has a bracket in its place. */
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

/** One JSON array, an entry a line; entries stand in it exactly as they are stored. */
export function exportJson(records: AsyncIterable<EntryRecord>): AsyncGenerator<string> {
  return exportRecords(JSON_FORMAT, records)
}
