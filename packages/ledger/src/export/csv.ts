// CSV for spreadsheets: RFC 4180 (CRLF, quotes doubled), one entry a row, a fixed set of columns. Entries hold text that an agent chose, and a
// spreadsheet runs a cell that starts like a formula: such a cell gets an apostrophe in front (OWASP, "CSV Injection"), numbers of ours do not.
import { isCallEntry } from '../entry.js'
import type { EntryRecord } from '../query.js'

type Cell = string | number | null | undefined
type Column = readonly [name: string, cell: (record: EntryRecord) => Cell]

const call = (record: EntryRecord) => (isCallEntry(record.entry) ? record.entry : undefined)

const COLUMNS: readonly Column[] = [
  ['position', ({ position }) => position],
  ['event', ({ entry }) => entry.event],
  ['request_id', ({ entry }) => entry.request_id],
  ['created_at', ({ entry }) => entry.created_at],
  ['recorded_at', ({ entry }) => entry.recorded_at],
  ['action', (record) => call(record)?.action],
  ['agent_id', (record) => call(record)?.agent_id],
  ['effect', (record) => call(record)?.decision.effect],
  ['reason', (record) => call(record)?.decision.reason],
  ['reason_code', (record) => call(record)?.decision.reason_code],
  ['policy_id', (record) => call(record)?.decision.policy_id],
  ['policy_version', (record) => call(record)?.decision.policy_version],
  ['approval_state', (record) => call(record)?.approval?.state],
  ['approver_id', (record) => call(record)?.approval?.approver_id],
  ['budget_cost', (record) => call(record)?.budget?.cost],
  ['outcome', (record) => call(record)?.outcome?.status],
  ['error_type', (record) => call(record)?.outcome?.error_type],
  ['error', (record) => call(record)?.outcome?.error],
  ['parameters', (record) => member(record, 'parameters')],
  ['metadata', (record) => member(record, 'metadata')],
  ['decision_hash', (record) => call(record)?.decision.decision_hash],
  ['policy_hash', (record) => call(record)?.decision.policy_hash],
  ['prev_entry_hash', ({ entry }) => entry.prev_entry_hash],
  ['entry_hash', ({ entry }) => entry.entry_hash],
  ['key_id', ({ entry }) => entry.key_id],
]

/** A member as the line has it: written anew, numbers that do not fit a double would come out rounded. */
function member({ json, members }: EntryRecord, key: string): string | undefined {
  const span = members.get(key)
  return span === undefined ? undefined : json.slice(span[0], span[1])
}

// A formula may hide behind spaces, and behind the full-width forms that some spreadsheets fold.
const FORMULA = /^[\s\uFEFF]*[=+\-@\t\r\n＝＋－＠|%]/u

function cellText(cell: Cell): string {
  if (cell === null || cell === undefined) return ''
  if (typeof cell === 'number') return String(cell)
  const safe = FORMULA.test(cell) ? `'${cell}` : cell
  return /[",\r\n']/.test(safe) || safe !== safe.trim() ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** A header row, then one row an entry. */
export async function* exportCsv(records: AsyncIterable<EntryRecord>): AsyncGenerator<string> {
  yield `${COLUMNS.map(([name]) => name).join(',')}\r\n`
  for await (const record of records) yield `${COLUMNS.map(([, cell]) => cellText(cell(record))).join(',')}\r\n`
}
