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
