/** `@sudoagent/ledger/export`: entries as JSON, NDJSON and CSV. */

export { exportCsv } from './export/csv.js'
export type { ExportFormat } from './export/formats.js'
export { exportJson } from './export/json.js'
export { exportNdjson } from './export/ndjson.js'
export { type ExportOptions, exportLedger } from './read/export-ledger.js'
