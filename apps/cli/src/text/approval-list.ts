// Formats a list of approvals: first what would be done, then for whom, then the rest. All call text is untrusted.
//
//   ACTION  ARGUMENTS                  FOR           AGENT    STATE                ID
//   refund  {"amount":500,"to":"A-1"}  alice (acme)  pay-bot  pending  300 s left  083a0f8c
//
// A terminal that is too narrow for a line shows each approval in several lines:
//
//   refund
//     {"amount":500,"to":"A-1"}
//     for alice (acme)
//     083a0f8c, pending, 300 s left, pay-bot
import type { ApprovalRecord } from '@sudoagent/core'
import { encodeJcs } from '@sudoagent/crypto/json'
import { escapeForTerminal } from '@sudoagent/crypto/text'
import { type Columns, timeLeft } from './approval-text.js'
import { fit, padEnd, widthOf } from './width.js'

/** Below this width, in cells, a line has no room for the arguments. */
const TABLE_CELLS_MIN = 72

/** Minimum number of id characters shown on a terminal; more are shown if two ids share this prefix. */
const ID_SHOWN_MIN = 8

const TITLES = ['ACTION', 'ARGUMENTS', 'FOR', 'AGENT', 'STATE', '', 'ID'] as const
const [ACTION, ARGUMENTS, FOR, AGENT, , LEFT] = [0, 1, 2, 3, 4, 5] as const

/** Maximum widths in cells, on a terminal and in a pipe. An id has at most 128 characters. */
const CELLS_MAX = [40, 80, 24, 20, 8, 16, 128] as const
const PIPE_CELLS_MAX = [80, 120, 80, 40, 8, 16, 128] as const

/** Widths that the action and the arguments keep while other columns can be dropped, in cells. */
const ACTION_CELLS = 20
const ARGUMENTS_CELLS = 20

/** Formats the approvals, one each line or each block of lines. */
export function renderApprovals(records: readonly ApprovalRecord[], now: Date, columns: Columns): string {
  const idLength = columns === undefined ? 128 : distinctLength(records.map(({ approvalId }) => approvalId))
  const rows = records.map((record) => cellsOf(record, now, idLength))
  if (columns !== undefined && columns < TABLE_CELLS_MIN) return rows.map((row) => block(row, columns)).join('')
  const max = columns === undefined ? PIPE_CELLS_MAX : CELLS_MAX
  const table = [TITLES, ...rows.map((row) => row.map((cell, column) => fit(cell, max[column] ?? 0)))]
  const layout = layoutOf(table, columns)
  return table
    .map((row) => layout.map(([column, width]) => padEnd(fit(row[column] ?? '', width), width)).join('  '))
    .map((line) => `${line.trimEnd()}\n`)
    .join('')
}

function cellsOf(record: ApprovalRecord, now: Date, idLength: number): readonly string[] {
  const { args, kwargs, authority, approvalId, action, agentId, state, consumedAt } = record
  const { on_behalf_of: subject, tenant, session } = authority ?? {}
  const forWhom = [subject?.id ?? (tenant === undefined ? session : ''), tenant === undefined ? '' : `(${tenant})`]
  return [
    escapeForTerminal(action),
    escapeForTerminal(
      encodeJcs(args.length === 0 ? kwargs : Object.keys(kwargs).length === 0 ? args : { args, kwargs }),
    ),
    escapeForTerminal(forWhom.filter((part) => part !== undefined && part !== '').join(' ')),
    escapeForTerminal(agentId),
    consumedAt === null ? state : 'used',
    state === 'pending' ? `${timeLeft(record, now)} left` : '',
    escapeForTerminal(approvalId.slice(0, idLength)),
  ]
}

type Layout = readonly (readonly [column: number, width: number])[]

/**
 * Chooses the columns and their widths. A column without a value is omitted. On a terminal, the agent is dropped first,
 * then the remaining time; then the arguments and the action are shortened.
 */
function layoutOf(table: readonly (readonly string[])[], columns: Columns): Layout {
  const widths = TITLES.map((_, column) => Math.max(...table.map((row) => widthOf(row[column] ?? ''))))
  const hasValue = (column: number): boolean => table.some((row, at) => at > 0 && row[column] !== '')
  let shown = TITLES.map((_, column) => column).filter((column) => hasValue(column))
  const widthOfAll = (): number => shown.reduce((sum, column) => sum + (widths[column] ?? 0) + 2, -2)
  if (columns === undefined) return shown.map((column) => [column, widths[column] ?? 0])
  const [action = 0, args = 0] = widths
  const least = Math.min(action, ACTION_CELLS) + Math.min(args, ARGUMENTS_CELLS)
  const excess = (): number => widthOfAll() - columns
  for (const gone of [AGENT, LEFT]) {
    if (excess() > action + args - least) shown = shown.filter((column) => column !== gone)
  }
  for (const [column, min] of [
    [ARGUMENTS, ARGUMENTS_CELLS],
    [ACTION, ACTION_CELLS],
    [FOR, 8],
    [ARGUMENTS, 8],
  ] as const) {
    const width = widths[column] ?? 0
    widths[column] = Math.max(Math.min(width, min), width - Math.max(0, excess()))
  }
  return shown.map((column) => [column, widths[column] ?? 0])
}

/** One approval on a narrow terminal. */
function block(
  [action = '', args = '', forWhom = '', agent = '', ...rest]: readonly string[],
  columns: number,
): string {
  const [state = '', left = '', id = ''] = rest
  const facts = [id, state, left, agent].filter((fact) => fact !== '').join(', ')
  const lines = [action, `  ${args}`, ...(forWhom === '' ? [] : [`  for ${forWhom}`]), `  ${facts}`]
  return lines.map((line) => `${fit(line, columns)}\n`).join('')
}

/** Returns the shortest prefix length at which all ids differ. */
function distinctLength(ids: readonly string[]): number {
  const longest = Math.max(ID_SHOWN_MIN, ...ids.map((id) => id.length))
  for (let length = ID_SHOWN_MIN; length < longest; length += 1)
    if (new Set(ids.map((id) => id.slice(0, length))).size === ids.length) return length
  return longest
}
