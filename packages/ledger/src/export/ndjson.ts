import type { EntryRecord } from '../query.js'

/** One entry a line, exactly as it is stored: the output of a whole ledger is a JSONL ledger that verifies. */
export async function* exportNdjson(records: AsyncIterable<EntryRecord>): AsyncGenerator<string> {
  for await (const { json } of records) yield `${json}\n`
}
