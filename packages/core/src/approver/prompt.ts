import { printable } from '@sudoagent/ledger'
import type { ApprovalRequest } from '../approval.js'

/** Screens have at least 24 rows, and people scroll little before they say yes: as many rows of arguments as can be taken in. */
export const PROMPT_ROWS_DEFAULT = 40

/** Columns of a terminal that does not say how wide it is, and the bounds of one that does. */
const COLUMNS_DEFAULT = 80
const COLUMNS_MIN = 40
const COLUMNS_MAX = 200

/** A name or a reason beyond this is no longer read, and would push the arguments off the screen. */
const FIELD_CHARACTERS_MAX = 400

export const PROMPT_QUESTION = 'approve this call? [y/N] '

/**
 * What the person sees before the question. Everything that comes from the call is foreign text: `printable` takes the
 * control, escape, bidi and invisible characters out of it, line breaks included, so that no field can end its line,
 * move the cursor or dress up as another field.
 *
 * @param rowsMax how many rows the arguments may take; the rest is counted, not shown
 * @param columns the terminal's width
 */
export function renderPrompt(
  request: ApprovalRequest,
  now: Date,
  rowsMax: number,
  columns: number | undefined,
): string {
  const width = Math.min(COLUMNS_MAX, Math.max(COLUMNS_MIN, columns ?? COLUMNS_DEFAULT))
  const secondsLeft = Math.max(0, Math.round((request.expiresAt.getTime() - now.getTime()) / 1000))
  return [
    '',
    'sudoagent: an agent asks for approval',
    `  action     ${field(request.action)}`,
    `  agent      ${field(request.agentId)}`,
    `  reason     ${field(request.reason)}`,
    ...argumentRows(request, rowsMax, width),
    `  request    ${field(request.approvalId)}`,
    `  expires    ${request.expiresAt.toISOString()} (in ${secondsLeft} s)`,
    '',
  ].join('\n')
}

function field(text: string): string {
  const left = text.length - FIELD_CHARACTERS_MAX
  const shown = printable(text.slice(0, FIELD_CHARACTERS_MAX), Number.POSITIVE_INFINITY)
  return left > 0 ? `${shown} … ${left} more characters not shown` : shown
}

function argumentRows({ args, kwargs }: ApprovalRequest, rowsMax: number, width: number): readonly string[] {
  const named = Object.keys(kwargs).length > 0
  if (args.length === 0 && !named) return ['  arguments  none']
  const shown = args.length === 0 ? kwargs : named ? { args, kwargs } : args
  const rows = JSON.stringify(shown, null, 2)
    .split('\n')
    .flatMap((line) => wrap(printable(line, Number.POSITIVE_INFINITY), width - 4))
  if (rows.length <= rowsMax) return ['  arguments', ...rows.map((row) => `    ${row}`)]
  const left = rows.slice(rowsMax)
  const characters = left.reduce((sum, row) => sum + row.length, 0)
  return [
    '  arguments',
    ...rows.slice(0, rowsMax).map((row) => `    ${row}`),
    `  … ${left.length} more lines (${characters} characters) of arguments NOT SHOWN`,
  ]
}

/** Breaks by characters, so that the bound on rows is one on the screen too, and no half character comes out. */
function wrap(line: string, width: number): readonly string[] {
  const characters = Array.from(line)
  const rows: string[] = []
  for (let start = 0; start === 0 || start < characters.length; start += width) {
    rows.push(characters.slice(start, start + width).join(''))
  }
  return rows
}
