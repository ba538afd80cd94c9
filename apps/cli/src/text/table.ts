// Formats entries as a table: one line per entry, at most as wide as the terminal. Ledger text is escaped.
//
//      #  TIME (UTC)           ACTION       AGENT        RESULT   REASON
//      1  2026-11-22 20:18:29  refund_user  support-bot  allow    within limit
//      2  2026-11-22 20:18:29  refund_user  support-bot  success  within limit

import type { Authority } from '@sudoagent/crypto/entry'
import { escapeForTerminal } from '@sudoagent/crypto/text'
import { scopeText } from '@sudoagent/ledger'
import { authorityOf, type CheckpointEntry, type EntryRecord, isCallEntry, readControl } from '@sudoagent/ledger/entry'
import type { Paint } from './paint.js'
import { fit, padEnd, padStart, widthOf } from './width.js'

/** Number of rows that determine the column widths; later rows are streamed. */
const SAMPLE_ROWS = 256
const GAP = '  '
/** Maximum cell width without a terminal; a reason may have 4,096 characters. */
const CELL_MAX = 200

const COLUMNS = [
  // `min`: narrowest useful width in cells. `keep`: the column with the lowest value is dropped first.
  { title: '#', min: 1, keep: 9 },
  { title: 'TIME (UTC)', min: 19, keep: 2 },
  { title: 'ACTION', min: 10, keep: 8 },
  { title: 'AGENT', min: 8, keep: 1 },
  // Shown only if an entry has a subject or a tenant.
  { title: 'FOR', min: 5, keep: 4 },
  { title: 'RESULT', min: 7, keep: 9 },
  { title: 'REASON', min: 12, keep: 3 },
] as const
const FOR = 4
const RESULT = 5

type Row = readonly string[]

export interface TableOptions {
  /** Width of the terminal in cells; undefined for no limit. */
  readonly columns: number | undefined
  readonly paint: Paint
}

/** Yields a header and one line per entry; yields nothing if there are no entries. */
export async function* formatTable(records: AsyncIterable<EntryRecord>, options: TableOptions): AsyncGenerator<string> {
  let sample: Row[] = []
  let layout: Layout | null = null
  for await (const record of records) {
    const row = rowOf(record)
    if (layout !== null) {
      yield formatRow(row, layout, options.paint)
      continue
    }
    sample.push(row)
    if (sample.length < SAMPLE_ROWS) continue
    layout = chooseLayout(sample, options.columns)
    yield formatSample(sample, layout, options.paint)
    sample = []
  }
  if (sample.length > 0) yield formatSample(sample, chooseLayout(sample, options.columns), options.paint)
}

function rowOf({ position, entry }: EntryRecord): Row {
  // `recorded_at` never decreases. `created_at` can decrease if an earlier call waited for an approval.
  const time = (entry.recorded_at ?? entry.created_at ?? '').slice(0, 19).replace('T', ' ')
  if (!isCallEntry(entry)) return [String(position), time, ...controlCells(entry)]
  const { outcome, decision } = entry
  const error = outcome?.error_type ? `${outcome.error_type}: ${outcome.error ?? ''}` : outcome?.error
  const isOutcome = entry.event === 'outcome'
  const result = isOutcome ? outcome?.status : decision.effect
  const reason = (isOutcome ? error : undefined) ?? decision.reason
  const cells = [entry.action, entry.agent_id, subjectOf(authorityOf(entry) ?? {}), result ?? '', reason]
  return [String(position), time, ...cells.map((cell) => escapeForTerminal(cell))]
}

interface ShownColumn {
  readonly index: number
  readonly cells: number
}
type Layout = readonly ShownColumn[]

/**
 * Returns the natural column widths if they fit. Otherwise, the widest columns first shrink to their minimum; if the
 * columns still do not fit, columns are dropped.
 */
function chooseLayout(rows: readonly Row[], columns: number | undefined): Layout {
  let shown = COLUMNS.map(({ title, min, keep }, index) => {
    const natural = Math.max(widthOf(title), ...rows.map((row) => Math.min(CELL_MAX, widthOf(row[index] ?? ''))))
    return { index, keep, min: Math.min(min, natural), cells: natural }
  }).filter(({ index }) => index !== FOR || rows.some((row) => row[FOR] !== ''))
  if (columns === undefined) return shown
  const total = (part: 'min' | 'cells'): number =>
    shown.reduce((sum, column) => sum + column[part], (shown.length - 1) * GAP.length)
  while (shown.length > 2 && total('min') > columns) {
    const least = Math.min(...shown.map(({ keep }) => keep))
    shown = shown.filter(({ keep }) => keep !== least)
  }
  for (let excess = total('cells') - columns; excess > 0; excess -= 1) {
    const givers = shown.filter(({ cells, min }) => cells > min)
    const widest = givers.reduce((a, b) => (b.cells > a.cells ? b : a), givers[0] ?? { cells: 0 })
    if (widest.cells === 0) break
    widest.cells -= 1
  }
  return shown
}

function formatSample(rows: readonly Row[], layout: Layout, paint: Paint): string {
  const header = paint.bold(
    formatCells(
      COLUMNS.map(({ title }) => title),
      layout,
      (cell) => cell,
    ),
  )
  return `${header}\n${rows.map((row) => formatRow(row, layout, paint)).join('')}`
}

function formatRow(row: Row, layout: Layout, paint: Paint): string {
  return `${formatCells(row, layout, (cell) => resultPaint(row[RESULT], paint)(cell))}\n`
}

function formatCells(row: Row, layout: Layout, paintResult: (cell: string) => string): string {
  const cells = layout.map(({ index, cells: width }, at) => {
    const text = fit(row[index] ?? '', width)
    if (index === 0) return padStart(text, width)
    const cell = at === layout.length - 1 ? text : padEnd(text, width)
    return index === RESULT ? paintResult(cell) : cell
  })
  return cells.join(GAP)
}

export function resultPaint(result: string | undefined, paint: Paint): (text: string) => string {
  if (result === 'allow' || result === 'success') return paint.green
  if (result === 'deny') return paint.red
  return result === 'error' ? paint.yellow : (text) => text
}

/** The subject of a call, and its tenant in parentheses. */
function subjectOf({ on_behalf_of: subject, tenant }: Authority): string {
  return [subject?.id, tenant === undefined ? undefined : `(${tenant})`].filter((part) => part !== undefined).join(' ')
}

/** The cells of a control entry: its kind (`genesis`, `key_added`), the scope of a stop, the call of a question. */
function controlCells(entry: CheckpointEntry): readonly string[] {
  const control = readControl(entry)
  if (control?.kind === 'asked') {
    const { action, agent_id: agent, authority = {}, requirement, expires_at: until } = control
    const why = `until ${until}${requirement.rule === null ? '' : `, rule ${requirement.rule}`}`
    return [action, agent, subjectOf(authority), 'asked', why].map((cell) => escapeForTerminal(cell))
  }
  const kind = control === null || control.kind === 'invalid' ? entry.event : control.kind
  const why =
    control?.kind === 'stop'
      ? [scopeText(control.scope), control.reason].filter((part) => part !== '').join(': ')
      : control?.kind === 'resume'
        ? control.reason
        : ''
  return [kind, '', '', '', escapeForTerminal(why)]
}
