import { printable } from '@sudoagent/ledger'
import { breakRows, usableColumns } from '../terminal/rows.js'
import type { ApprovalRequest } from './approval.js'

/** Screens have at least 24 rows, and people scroll little before they say yes: as many rows as can be taken in at a time. */
export const PROMPT_ROWS_DEFAULT = 40

export const PROMPT_QUESTION = 'approve this call? [y/N] '

/** Width of the column of names, blanks in front of it included. */
const LABEL_WIDTH = 13

/**
 * What the person sees before the question, as rows. Everything that comes from the call is foreign text: `printable` takes the
 * control, escape, bidi and invisible characters out of it, line breaks included, and `breakRows` breaks it, so that no
 * field can end its line, move the cursor or look like another field. Nothing is cut.
 *
 * @param columns the terminal's width
 */
export function promptRows(request: ApprovalRequest, now: Date, columns: number | undefined): readonly string[] {
  const width = usableColumns(columns)
  const secondsLeft = Math.max(0, Math.round((request.expiresAt.getTime() - now.getTime()) / 1000))
  const field = (name: string, value: string): readonly string[] =>
    breakRows(`  ${name}`.padEnd(LABEL_WIDTH), printable(value, Number.POSITIVE_INFINITY), width)
  return [
    ...field('action', request.action),
    ...field('agent', request.agentId),
    ...field('reason', request.reason),
    ...argumentRows(request, width),
    ...field('request', request.approvalId),
    ...field('expires', `${request.expiresAt.toISOString()} (in ${secondsLeft} s)`),
  ]
}

/**
 * The rows in pages. All of them have to be seen before the question is asked.
 *
 * @param rowsMax rows of one page
 */
export function promptPages(rows: readonly string[], rowsMax: number): readonly (readonly string[])[] {
  const pages: (readonly string[])[] = []
  for (let from = 0; from < rows.length; from += rowsMax) pages.push(rows.slice(from, from + rowsMax))
  return pages
}

/** What is asked after every page but the last. */
export function pageQuestion(page: number, pages: number): string {
  return `page ${page} of ${pages}, not yet the whole call: Enter shows the next page, anything else stops `
}

/** JSON begins each row with a bracket, a quote or a value; a row that goes on does so in the column of the values. */
function argumentRows({ args, kwargs }: ApprovalRequest, width: number): readonly string[] {
  const named = Object.keys(kwargs).length > 0
  if (args.length === 0 && !named) return ['  arguments  none']
  const shown = args.length === 0 ? kwargs : named ? { args, kwargs } : args
  const rows = JSON.stringify(shown, null, 2).split('\n')
  return ['  arguments', ...rows.flatMap((row) => argumentRow(printable(row, Number.POSITIVE_INFINITY), width))]
}

function argumentRow(row: string, width: number): readonly string[] {
  const blanks = Math.min(/^ */.exec(row)?.[0].length ?? 0, MOST_NESTED)
  return breakRows(' '.repeat(4 + blanks), row.trimStart(), width, LABEL_WIDTH)
}

/** Blanks in front of a value, two for each level; deeper ones begin in the same column. */
const MOST_NESTED = 20
