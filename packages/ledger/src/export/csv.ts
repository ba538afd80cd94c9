// Writes CSV for spreadsheets: RFC 4180 (CRLF, doubled quotes), one row for each entry, fixed columns. Entries
// contain text that an agent chose, and a spreadsheet evaluates a cell that starts like a formula. Such a cell is
// prefixed with an apostrophe (OWASP, "CSV Injection"); numbers are not. Software for a different locale may use a
// different separator, often the semicolon, and would start a new cell after that separator. Text after such a
// separator is therefore prefixed, too.
import { type Asked, type Authority, parametersText } from '@sudoagent/crypto/entry'
import { askedOf } from '../entry/control.js'
import { approvalOf, authorityOf, isCallEntry, type LedgerEntry } from '../entry/entry.js'
import { memberText } from '../entry/line.js'
import type { EntryRecord } from '../entry/record.js'
import { M, type Member } from '../plain/member.js'
import type { PlainMembers } from '../plain/plain-members.js'
import { exportRecords, type Format } from './format.js'

type Cell = string | number | null | undefined

/** The source of a column: a function for a parsed entry, and one or a member for a recognised line. */
type Column = readonly [
  name: string,
  cell: (record: EntryRecord) => Cell,
  source: Member | ((line: PlainMembers) => Cell) | null,
]

const call = (record: EntryRecord) => (isCallEntry(record.entry) ? record.entry : undefined)
const authorityIn = ({ entry }: EntryRecord) =>
  isCallEntry(entry) ? authorityOf(entry) : question({ entry })?.authority
const questions = new WeakMap<LedgerEntry, Asked | null>()

/** The question of an entry, read once for all its cells. */
function question({ entry }: Pick<EntryRecord, 'entry'>): Asked | null {
  const known = questions.get(entry)
  if (known !== undefined) return known
  const asked = askedOf(entry)
  questions.set(entry, asked)
  return asked
}

const approvalIn = ({ entry }: EntryRecord) => (isCallEntry(entry) ? approvalOf(entry) : null)

const COLUMNS: readonly Column[] = [
  ['position', ({ position }) => position, null],
  ['event', ({ entry }) => entry.event, M.event],
  ['request_id', (record) => record.entry.request_id ?? question(record)?.request_id, M.requestId],
  ['created_at', ({ entry }) => entry.created_at, M.createdAt],
  ['recorded_at', ({ entry }) => entry.recorded_at, M.recordedAt],
  ['action', (record) => (call(record) ?? question(record))?.action, M.action],
  ['agent_id', (record) => (call(record) ?? question(record))?.agent_id, M.agentId],
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
  ['metadata', ({ json, members }) => memberText(json, members, 'metadata'), M.metadata],
  ['decision_hash', (record) => (call(record)?.decision ?? question(record))?.decision_hash, M.decisionHash],
  ['policy_hash', (record) => (call(record)?.decision ?? question(record))?.policy_hash, M.policyHash],
  ['prev_entry_hash', ({ entry }) => entry.prev_entry_hash, M.previous],
  ['entry_hash', ({ entry }) => entry.entry_hash, M.entryHash],
  ['key_id', ({ entry }) => entry.key_id, M.keyId],
  [
    'on_behalf_of',
    (record) => authorityIn(record)?.on_behalf_of?.id,
    (line) => authorityOfLine(line)?.on_behalf_of?.id,
  ],
  ['tenant', (record) => authorityIn(record)?.tenant, (line) => authorityOfLine(line)?.tenant],
  ['session', (record) => authorityIn(record)?.session, (line) => authorityOfLine(line)?.session],
]

/** A recognised authority is valid. */
const authorityOfLine = (line: PlainMembers): Authority | null =>
  line.has(M.authority) ? (JSON.parse(line.get(M.authority)) as Authority) : null

/** Characters that start a formula, including the full-width and small forms that some spreadsheets convert. */
const SIGN = '=+\\-@%＝＋－＠％﹢﹣﹦﹫﹪−'
// Spreadsheets skip spaces before a formula.
const FORMULA = new RegExp(`^[\\s\\uFEFF]*[${SIGN}\\t\\r\\n|]`, 'u')
/**
 * Matches a formula that begins inside a cell: after a line break, or after the separator of a different locale.
 * Software that does not understand quotes starts a new row at a line break.
 */
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

/** The members that usually differ between lines, and whether their text may need quotes or an apostrophe. */
const VARYING: ReadonlyMap<Member, 'harmless' | 'any'> = new Map([
  [M.requestId, 'any'],
  [M.createdAt, 'harmless'],
  [M.recordedAt, 'harmless'],
  [M.parameters, 'any'],
  [M.decisionHash, 'harmless'],
  [M.previous, 'harmless'],
  [M.entryHash, 'harmless'],
])

/**
 * The spans between the varying members, which contain all other members except the event. Decisions and outcomes
 * have separate templates.
 */
const STRETCHES = [
  [null, M.createdAt],
  [M.decisionHash, M.entryHash],
  [M.event, M.parameters],
] as const

/** Makes the same rows as `csvRow` from recognised lines, without parsing the entry. */
class PlainCsv {
  // One template for decisions and one for outcomes. Building a template takes longer than the rest of a row, but
  // templates rarely change.
  readonly #decisions = new RowForm()
  readonly #outcomes = new RowForm()

  row(position: number, line: PlainMembers): string {
    return (line.isDecision ? this.#decisions : this.#outcomes).row(position, line)
  }
}

const QUOTE = 0x22
const SEMICOLON = 0x3b
const BAR = 0x7c

/** Buffer for the cell of an object; most cells are much shorter. */
const scratch = Buffer.alloc(4 * 1024)

/**
 * Returns the same text as `cellText` for an ASCII object with members. Processing bytes takes 60 % of the time of
 * `replaceAll`.
 */
function objectCell(json: string): string {
  if (2 * json.length + 2 > scratch.length) return cellText(json)
  let end = 0
  scratch[end++] = QUOTE
  for (let i = 0; i < json.length; i += 1) {
    const unit = json.charCodeAt(i)
    // Text after these separators of other locales may need an apostrophe. JSON escapes line breaks and tabs, so they
    // cannot occur.
    if (unit === SEMICOLON || unit === BAR) return cellText(json)
    scratch[end++] = unit
    if (unit === QUOTE) scratch[end++] = QUOTE
  }
  scratch[end++] = QUOTE
  return scratch.toString('latin1', 0, end)
}

/** The template of a row, without its varying cells. */
class RowForm {
  readonly #stretches = STRETCHES.map(() => '')
  /** The text before each varying cell; `#end` is the text after the last varying cell. */
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

  /** Whether the text outside the varying members is the same as in the line from which the template was built. */
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
    for (const [, , source] of COLUMNS.slice(1)) {
      const varying = typeof source === 'number' ? VARYING.get(source) : undefined
      if (typeof source === 'number' && varying !== undefined) {
        parts.push({ before: `${before},`, member: source, isHarmless: varying === 'harmless' })
        before = ''
      } else if (typeof source === 'number') before += `,${cellText(line.get(source))}`
      else before += `,${cellText(source?.(line))}`
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

/** A header row, then one row for each entry. */
export function exportCsv(records: AsyncIterable<EntryRecord>): AsyncGenerator<string> {
  return exportRecords(CSV_FORMAT, records)
}
