import type { EntryRecord } from '../query.js'

/** One JSON array, an entry a line; entries stand in it exactly as they are stored. */
export async function* exportJson(records: AsyncIterable<EntryRecord>): AsyncGenerator<string> {
  let separator = '[\n'
  for await (const { json } of records) {
    yield `${separator}${json}`
    separator = ',\n'
  }
  yield separator === '[\n' ? '[]\n' : '\n]\n'
}
