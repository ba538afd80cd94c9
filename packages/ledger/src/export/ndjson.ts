import type { EntryRecord } from '../entry/record.js'
import { exportRecords, type Format } from './format.js'

export const NDJSON_FORMAT: Format = {
  start: '',
  first: (rows) => rows,
  end: () => '',
  rowMaker: () => ({
    row: ({ json }) => `${json}\n`,
    plain: (_, line) => `${line.text}\n`,
  }),
}

/** One entry on each line, exactly as stored. The export of a whole ledger is a JSONL ledger that verifies. */
export function exportNdjson(records: AsyncIterable<EntryRecord>): AsyncGenerator<string> {
  return exportRecords(NDJSON_FORMAT, records)
}
