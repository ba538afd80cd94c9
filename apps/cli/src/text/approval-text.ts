// Approvals as text for people. All that comes from the call is foreign.
import type { ApprovalRecord } from '@sudoagent/core'
import { breakRows, usableColumns } from '@sudoagent/core/terminal'
import { printable } from '@sudoagent/ledger'
import { fit, padEnd, widthOf } from './width.js'

/** What is made of a pipe's missing width: lines are not broken there. */
type Columns = number | undefined

/** `pending`, `used at …`: what became of it, in words. */
export function stateOf(record: ApprovalRecord): string {
  const { state, approverId, resolvedAt, consumedAt } = record
  const by = approverId === null ? '' : ` by ${approverId}`
  const at = resolvedAt === null ? '' : ` at ${resolvedAt.toISOString()}`
  if (state === 'approved' && consumedAt !== null) return `approved${by}${at}, used at ${consumedAt.toISOString()}`
  if (state === 'failed') return `failed${at}: no longer asked`
  return `${state}${by}${at}`
}

/** Of an id, where a terminal has no room for all of it; more where two of them begin alike. */
const ID_SHOWN_MIN = 8
/** Cells of an action below which nobody can choose by it: the columns in front of it give way first. */
const ACTION_CELLS_MIN = 24
const AGENT_CELLS_MAX = 20

/** One line an approval: what a person chooses from. On a terminal, ids are shortened so that the actions are seen. */
export function renderApprovals(records: readonly ApprovalRecord[], now: Date, columns: Columns): string {
  const idLength = columns === undefined ? 128 : distinctLength(records.map(({ approvalId }) => approvalId))
  const rows = records.map((record) => [
    printable(record.approvalId.slice(0, idLength), 128),
    record.consumedAt === null ? record.state : 'used',
    record.state === 'pending' ? `${secondsLeft(record, now)} s left` : '',
    fit(printable(record.agentId, 40), columns === undefined ? 40 : AGENT_CELLS_MAX),
    printable(record.action, columns === undefined ? 80 : 256),
  ])
  const table = [['ID', 'STATE', '', 'AGENT', 'ACTION'], ...rows]
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((row) => widthOf(row[column] ?? ''))))
  // The agent goes first, then the time that is left.
  let shown = [0, 1, 2, 3]
  const room = (): number => (columns ?? 0) - shown.reduce((sum, column) => sum + (widths[column] ?? 0) + 2, 0)
  for (const gone of [3, 2]) {
    if (columns !== undefined && room() < ACTION_CELLS_MIN) shown = shown.filter((column) => column !== gone)
  }
  return table
    .map((row) => [...shown.map((column) => padEnd(row[column] ?? '', widths[column] ?? 0)), row[4] ?? ''].join('  '))
    .map((line) => `${columns === undefined ? line.trimEnd() : fit(line.trimEnd(), columns)}\n`)
    .join('')
}

/** How many characters tell all of them apart. */
function distinctLength(ids: readonly string[]): number {
  const longest = Math.max(ID_SHOWN_MIN, ...ids.map((id) => id.length))
  for (let length = ID_SHOWN_MIN; length < longest; length += 1)
    if (new Set(ids.map((id) => id.slice(0, length))).size === ids.length) return length
  return longest
}

/** All that is known of one: the parameters in full, then the facts, so that these stand last on the screen. */
export function renderApproval(record: ApprovalRecord, now: Date, columns: Columns): string {
  return `${approvalRows(record, now, columns).join('\n')}\n`
}

/** The same as rows. */
export function approvalRows(record: ApprovalRecord, now: Date, columns: Columns): readonly string[] {
  const { approvalId, action, agentId, reason, binding, note, createdAt, expiresAt, state } = record
  const left = state === 'pending' ? ` (in ${secondsLeft(record, now)} s)` : ''
  const rows: readonly (readonly [string, string])[] = [
    ['action', action],
    ['agent', agentId],
    ['reason', reason],
    ['state', stateOf(record)],
    ...(note === null ? [] : [['note', note] as const]),
    ['asked', createdAt.toISOString()],
    ['expires', `${expiresAt.toISOString()}${left}`],
    ['id', approvalId],
    ['policy', binding.policyHash],
    ['decision', binding.decisionHash],
  ]
  const facts = rows.flatMap(([name, value]) => lines(`${name.padEnd(8)}  `, value, columns))
  return [...parameters(record, columns), '', ...facts]
}

function parameters({ args, kwargs }: ApprovalRecord, columns: Columns): readonly string[] {
  const named = Object.keys(kwargs).length > 0
  if (args.length === 0 && !named) return ['arguments: none']
  const shown = args.length === 0 ? kwargs : named ? { args, kwargs } : args
  const text = JSON.stringify(shown, null, 2).split('\n')
  return [
    'arguments, as the policy saw them, without secrets:',
    ...text.flatMap((line) => argumentLines(line, columns)),
  ]
}

/** A line of JSON; what is broken goes on in the column of the values of the facts below. */
function argumentLines(line: string, columns: Columns): readonly string[] {
  const blanks = Math.min(/^ */.exec(line)?.[0].length ?? 0, MOST_NESTED)
  return lines(' '.repeat(2 + blanks), line.trimStart(), columns, 10)
}

/** Blanks in front of a value, two for each level; deeper ones begin in the same column. */
const MOST_NESTED = 20

/** A text behind a label. On a terminal it is broken here, each piece behind as many blanks, so that none looks like a row of ours. */
export function lines(label: string, text: string, columns: Columns, indent?: number): readonly string[] {
  const safe = printable(text, Number.POSITIVE_INFINITY)
  return columns === undefined ? [label + safe] : breakRows(label, safe, usableColumns(columns), indent)
}

const secondsLeft = ({ expiresAt }: ApprovalRecord, now: Date): number =>
  Math.max(0, Math.round((expiresAt.getTime() - now.getTime()) / 1000))

/** The form of `--json`. */
export function approvalJson(record: ApprovalRecord): unknown {
  const { binding } = record
  return {
    approval_id: record.approvalId,
    state: record.state,
    action: record.action,
    agent_id: record.agentId,
    args: record.args,
    kwargs: record.kwargs,
    reason: record.reason,
    created_at: record.createdAt,
    expires_at: record.expiresAt,
    approver_id: record.approverId,
    note: record.note,
    resolved_at: record.resolvedAt,
    consumed_at: record.consumedAt,
    binding: {
      request_id: binding.requestId,
      policy_hash: binding.policyHash,
      decision_hash: binding.decisionHash,
    },
  }
}
