// Export formats: CSV (RFC 4180), JSON, and NDJSON (newline-delimited JSON).
//
// A format has a `RowMaker`, which makes the row of an entry, and the text before, between and after the rows. For a
// ledger of two entries, of which {…} are the stored lines:
//
//   csv      position,event,request_id,…   json   [       ndjson   {…}
//            1,checkpoint,,…                      {…},             {…}
//            2,decision,083a0f8c-…,…              {…}
//                                                 ]
//
// JSON and NDJSON contain each entry exactly as stored, so its hashes and signatures can still be verified. The
// NDJSON export of a whole ledger is itself a JSONL ledger (LEDGER-FORMAT §2). CSV has fixed columns and cannot be
// verified. A row can be made from a parsed entry or, several times as fast, from a recognised line (`PlainMembers`),
// with the same result.
import { CSV_FORMAT } from './csv.js'
import type { Format } from './format.js'
import { JSON_FORMAT } from './json.js'
import { NDJSON_FORMAT } from './ndjson.js'

export type ExportFormat = 'csv' | 'json' | 'ndjson'

export const FORMATS: { readonly [format in ExportFormat]: Format } = {
  csv: CSV_FORMAT,
  json: JSON_FORMAT,
  ndjson: NDJSON_FORMAT,
}
