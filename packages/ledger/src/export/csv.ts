// CSV for spreadsheets: RFC 4180 (CRLF, quotes doubled), one entry a row, a fixed set of columns. Entries hold text that an agent chose, and a
// spreadsheet runs a cell that starts like a formula: such a cell gets an apostrophe in front (OWASP, "CSV Injection"), numbers of ours do not.
// Where a spreadsheet takes another separator than the comma (many locales: the semicolon), a cell starts inside of one of ours.
import { parametersText } from '@sudoagent/crypto'
import { approvalOf, isCallEntry } from '../entry/entry.js'
import type { EntryRecord } from '../entry/record.js'
import { M, type Member } from '../plain/member.js'
import type { PlainMembers } from '../plain/plain-members.js'
import { exportRecords, type Format } from './format.js'

type Cell = string | number | null | undefined

/** Where a cell comes from: out of an entry, and out of a plain line. */
type Column = readonly [name: string, cell: (record: EntryRecord) => Cell, member: Member | null]

const call = (record: EntryRecord) => (isCallEntry(record.entry) ? record.entry : undefined)
const approvalIn = ({ entry }: EntryRecord) => (isCallEntry(entry) ? approvalOf(entry) : null)

const COLUMNS: readonly Column[] = [
  ['position', ({ position }) => position, null],
  ['event', ({ entry }) => entry.event, M.event],
  ['request_id', ({ entry }) => entry.request_id, M.requestId],
  ['created_at', ({ entry }) => entry.created_at, M.createdAt],
  ['recorded_at', ({ entry }) => entry.recorded_at, M.recordedAt],
  ['action', (record) => call(record)?.action, M.action],
  ['agent_id', (record) => call(record)?.agent_id, M.agentId],
  ['effect', (record) => call(record)?.decision.effect, M.effect],
  ['reason', (record) => call(record)?.decision.reason, M.reason],
  ['reason_code', (record) => call(record)?.decision.reason_code, M.reasonCode],
  ['policy_id', (record) => call(record)?.decision.policy_id, M.policyId],
  ['policy_version', (record) => call(record)?.decision.policy_version, M.policyVersion],
  ['approval_state', (record) => approvalIn(record)?.state, null],
  ['approver_id', (record) => approvalIn(record)?.approver_id, null],
  ['budget_cost', (record) => call(record)?.budget?.cost, M.budgetCost],
  ['outcome', (record) => call(record)?.outcome?.status, M.status],
  ['error_type', (record) => call(record)?.outcome?.error_type, M.errorType],
  ['error', (record) => call(record)?.outcome?.error, M.error],
  ['parameters', ({ json, members }) => parametersText(json, members), M.parameters],
  ['metadata', (record) => member(record, 'metadata'), M.metadata],
  ['decision_hash', (record) => call(record)?.decision.decision_hash, M.decisionHash],
  ['policy_hash', (record) => call(record)?.decision.policy_hash, M.policyHash],
  ['prev_entry_hash', ({ entry }) => entry.prev_entry_hash, M.previous],
  ['entry_hash', ({ entry }) => entry.entry_hash, M.entryHash],
  ['key_id', ({ entry }) => entry.key_id, M.keyId],
]

/** A member as the line has it: written anew, numbers that do not fit a double would come out rounded. */
function member({ json, members }: EntryRecord, key: string): string | undefined {
  const span = members.get(key)
  return span === undefined ? undefined : json.slice(span[0], span[1])
}

/** What a formula begins with; full-width and small forms too, which some spreadsheets fold. */
const SIGN = '=+\\-@%＝＋－＠％﹢﹣﹦﹫﹪−'
// A formula may hide behind spaces.
const FORMULA = new RegExp(`^[\\s\\uFEFF]*[${SIGN}\\t\\r\\n|]`, 'u')
/** In the middle of a cell: behind a separator of another locale, or a line break, which ends a row where the quotes are not understood. */
const INNER_FORMULA = new RegExp(`([;|\\t\\r\\n\\v\\f\\u0085\\u2028\\u2029；｜][\\s\\uFEFF"]*)(?=[${SIGN}])`, 'gu')

function cellText(cell: Cell): string {
  if (cell === null || cell === undefined) return ''
  if (typeof cell === 'number') return String(cell)
  const inner = cell.replace(INNER_FORMULA, "$1'")
  const safe = FORMULA.test(inner) ? `'${inner}` : inner
  return /[",;\t|\r\n']/.test(safe) || safe !== safe.trim() ? `"${safe.replaceAll('"', '""')}"` : safe
}

function csvRow(record: EntryRecord): string {
  return `${COLUMNS.map(([, cell]) => cellText(cell(record))).join(',')}\r\n`
}

/** The members that are hardly ever the same in two lines, and whether they may hold what must be quoted, or what a spreadsheet would run. */
const VARYING: ReadonlyMap<Member, 'harmless' | 'any'> = new Map([
  [M.requestId, 'any'],
  [M.createdAt, 'harmless'],
  [M.recordedAt, 'harmless'],
  [M.parameters, 'any'],
  [M.decisionHash, 'harmless'],
  [M.previous, 'harmless'],
  [M.entryHash, 'harmless'],
])

/** Between which of them all others lie. The event lies in none: decisions have a form of their own, and outcomes. */
const STRETCHES = [
  [null, M.createdAt],
  [M.decisionHash, M.entryHash],
  [M.event, M.parameters],
] as const

/** Makes rows of plain lines: the same as `csvRow` makes of them, without an entry. */
class PlainCsv {
  // Of decisions and of outcomes, each has its own form. Making it costs more than all the rest of a row, and it seldom changes.
  readonly #decisions = new RowForm()
  readonly #outcomes = new RowForm()

  row(position: number, line: PlainMembers): string {
    return (line.isDecision ? this.#decisions : this.#outcomes).row(position, line)
  }
}

const QUOTE = 0x22
const SEMICOLON = 0x3b
const BAR = 0x7c

/** Room for the cell of an object: most are far shorter. */
const scratch = Buffer.alloc(4 * 1024)

/** What `cellText` makes of an object with members, in ASCII. By bytes, in 60 % of the time that `replaceAll` takes. */
function objectCell(json: string): string {
  if (2 * json.length + 2 > scratch.length) return cellText(json)
  let end = 0
  scratch[end++] = QUOTE
  for (let i = 0; i < json.length; i += 1) {
    const unit = json.charCodeAt(i)
    // A separator of other locales, in a text of it: line breaks and tabs are escaped in JSON.
    if (unit === SEMICOLON || unit === BAR) return cellText(json)
    scratch[end++] = unit
    if (unit === QUOTE) scratch[end++] = QUOTE
  }
  scratch[end++] = QUOTE
  return scratch.toString('latin1', 0, end)
}

/** A row whose varying cells are left open. */
class RowForm {
  readonly #stretches = STRETCHES.map(() => '')
  /** What stands before each varying cell; then what stands behind the last. */
  #parts: readonly Part[] = []
  #end = ''

  row(position: number, line: PlainMembers): string {
    if (!this.#fits(line)) this.#make(line)
    let row = String(position)
    for (const { before, member, isHarmless } of this.#parts) {
      const value = line.get(member)
      row += before + (isHarmless ? value : member === M.parameters ? objectCell(value) : cellText(value))
    }
    return row + this.#end
  }

  /** Whether all that does not vary is as it was in the line that the form was made of. */
  #fits(line: PlainMembers): boolean {
    let fits = this.#end !== ''
    for (let n = 0; n < STRETCHES.length; n += 1) {
      const [from, to] = STRETCHES[n] ?? STRETCHES[0]
      const stretch = line.between(from, to)
      if (stretch === this.#stretches[n]) continue
      this.#stretches[n] = stretch
      fits = false
    }
    return fits
  }

  #make(line: PlainMembers): void {
    const parts: Part[] = []
    let before = ''
    for (const [, , member] of COLUMNS.slice(1)) {
      const varying = member === null ? undefined : VARYING.get(member)
      if (member === null || varying === undefined) before += `,${member === null ? '' : cellText(line.get(member))}`
      else {
        parts.push({ before: `${before},`, member, isHarmless: varying === 'harmless' })
        before = ''
      }
    }
    this.#parts = parts
    this.#end = `${before}\r\n`
  }
}

interface Part {
  readonly before: string
  readonly member: Member
  readonly isHarmless: boolean
}

export const CSV_FORMAT: Format = {
  start: `${COLUMNS.map(([name]) => name).join(',')}\r\n`,
  first: (rows) => rows,
  end: () => '',
  rowMaker: () => {
    const plain = new PlainCsv()
    return { row: csvRow, plain: (position, line) => plain.row(position, line) }
  },
}

/** A header row, then one row an entry. */
export function exportCsv(records: AsyncIterable<EntryRecord>): AsyncGenerator<string> {
  return exportRecords(CSV_FORMAT, records)
}
