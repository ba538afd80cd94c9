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

/**
 * Exports one entry on each line, exactly as stored. The export of a whole ledger is a JSONL ledger that can be
 * verified.
 */
export function exportNdjson(records: AsyncIterable<EntryRecord>): AsyncGenerator<string> {
  return exportRecords(NDJSON_FORMAT, records)
}
