// Formats approvals for people. All call text is untrusted.
import type { ApprovalRecord } from '@sudoagent/core'
import { breakRows, usableColumns } from '@sudoagent/core/terminal'
import { escapeForTerminal } from '@sudoagent/crypto/text'
import { fit, padEnd, widthOf } from './width.js'

/** Width of the terminal in cells; undefined for a pipe, where lines are not wrapped. */
type Columns = number | undefined

/** Describes the approval state in words: `pending`, `approved by alice at …, used at …`. */
export function stateOf(record: ApprovalRecord): string {
  const { state, approverId, resolvedAt, consumedAt } = record
  const by = approverId === null ? '' : ` by ${approverId}`
  const at = resolvedAt === null ? '' : ` at ${resolvedAt.toISOString()}`
  if (state === 'approved' && consumedAt !== null) return `approved${by}${at}, used at ${consumedAt.toISOString()}`
  if (state === 'failed') return `failed${at}: no longer pending`
  return `${state}${by}${at}`
}

/** Minimum number of id characters shown on a terminal; more are shown if two ids share this prefix. */
const ID_SHOWN_MIN = 8
/** Minimum width of the ACTION column, in cells; other columns are dropped to keep this width. */
const ACTION_CELLS_MIN = 24
const AGENT_CELLS_MAX = 20

/** One line per approval. On a terminal, ids are shortened to leave room for the actions. */
export function renderApprovals(records: readonly ApprovalRecord[], now: Date, columns: Columns): string {
  const idLength = columns === undefined ? 128 : distinctLength(records.map(({ approvalId }) => approvalId))
  const rows = records.map((record) => [
    escapeForTerminal(record.approvalId.slice(0, idLength), 128),
    record.consumedAt === null ? record.state : 'used',
    record.state === 'pending' ? `${secondsLeft(record, now)} s left` : '',
    fit(escapeForTerminal(record.agentId, 40), columns === undefined ? 40 : AGENT_CELLS_MAX),
    escapeForTerminal(record.action, columns === undefined ? 80 : 256),
  ])
  const table = [['ID', 'STATE', '', 'AGENT', 'ACTION'], ...rows]
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((row) => widthOf(row[column] ?? ''))))
  // The AGENT column is dropped first, then the column with the remaining time.
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

/** Returns the shortest prefix length at which all ids differ. */
function distinctLength(ids: readonly string[]): number {
  const longest = Math.max(ID_SHOWN_MIN, ...ids.map((id) => id.length))
  for (let length = ID_SHOWN_MIN; length < longest; length += 1)
    if (new Set(ids.map((id) => id.slice(0, length))).size === ids.length) return length
  return longest
}

/**
 * Formats everything about one approval: first the arguments, then the other fields, which stay visible at the bottom
 * of the screen.
 */
export function renderApproval(record: ApprovalRecord, now: Date, columns: Columns): string {
  return `${approvalRows(record, now, columns).join('\n')}\n`
}

/** The rows of `renderApproval`. */
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
  return ['arguments as the policy saw them, secrets removed:', ...text.flatMap((line) => argumentLines(line, columns))]
}

/** One line of JSON. Continuation lines start in the column of the values below. */
function argumentLines(line: string, columns: Columns): readonly string[] {
  const blanks = Math.min(/^ */.exec(line)?.[0].length ?? 0, MOST_NESTED)
  return lines(' '.repeat(2 + blanks), line.trimStart(), columns, 10)
}

/** Largest indentation of a value; deeper values start in the same column. */
const MOST_NESTED = 20

/**
 * Formats a label and its text. On a terminal, wrapped lines are indented, so that untrusted text cannot imitate a
 * row of the output.
 */
export function lines(label: string, text: string, columns: Columns, indent?: number): readonly string[] {
  const safe = escapeForTerminal(text, Number.POSITIVE_INFINITY)
  return columns === undefined ? [label + safe] : breakRows(label, safe, usableColumns(columns), indent)
}

const secondsLeft = ({ expiresAt }: ApprovalRecord, now: Date): number =>
  Math.max(0, Math.round((expiresAt.getTime() - now.getTime()) / 1000))

/** Returns the approval in the form that `--json` prints. */
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
