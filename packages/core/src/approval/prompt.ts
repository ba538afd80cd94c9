import { authorityRows, requirementRows } from '@sudoagent/crypto/entry'
import { escapeForTerminal } from '@sudoagent/crypto/text'
import { breakRows, usableColumns } from '../terminal/rows.js'
import type { ApprovalRequest } from './approval.js'
import { NOT_SIGNED, redactedText } from './shown.js'

/**
 * The default number of rows per page: more than a terminal with 24 rows shows, but few enough to read before
 * approving.
 */
export const PROMPT_ROWS_DEFAULT = 40

export const PROMPT_QUESTION = 'approve this call? [y/N] '

/** The width of the label column, including leading spaces. */
const LABEL_WIDTH = 13

/**
 * Returns the rows that are shown before the question. The call's values are untrusted text: `escapeForTerminal`
 * escapes control, escape, bidi and invisible characters, including line breaks, and `breakRows` wraps long values, so
 * that a value cannot end its line, move the cursor or imitate a different field. Values are not shortened.
 *
 * @param columns - the terminal's width
 */
export function promptRows(request: ApprovalRequest, now: Date, columns: number | undefined): readonly string[] {
  const width = usableColumns(columns)
  const secondsLeft = Math.max(0, Math.round((request.expiresAt.getTime() - now.getTime()) / 1000))
  const field = (name: string, value: string): readonly string[] =>
    breakRows(`  ${name}`.padEnd(LABEL_WIDTH), escapeForTerminal(value, Number.POSITIVE_INFINITY), width)
  const { asked } = request
  const reason = field('reason', request.reason)
  return [
    ...(asked === undefined ? [] : field('redacted', redactedText(asked.redacted))),
    ...field('action', request.action),
    ...field('agent', request.agentId),
    ...authorityRows(request.authority ?? {}).flatMap(([name, value]) => field(name, value)),
    ...(asked === undefined ? reason : requirementRows(asked.requirement).flatMap(([name, text]) => field(name, text))),
    ...argumentRows(request, width),
    ...field('request', request.approvalId),
    ...field('expires', `${request.expiresAt.toISOString()} (in ${secondsLeft} s)`),
    ...(asked === undefined ? [] : [`  ${NOT_SIGNED}:`, ...reason]),
  ]
}

/**
 * Splits rows into pages. The question is asked after the last page.
 *
 * @param maxRows - the number of rows per page
 */
export function promptPages(rows: readonly string[], maxRows: number): readonly (readonly string[])[] {
  const pages: (readonly string[])[] = []
  for (let from = 0; from < rows.length; from += maxRows) pages.push(rows.slice(from, from + maxRows))
  return pages
}

/** Returns the question that follows every page except the last. */
export function pageQuestion(page: number, pages: number): string {
  return `page ${page} of ${pages}, the call continues: Enter shows the next page, any other input denies the call `
}

/** Formats the arguments as indented JSON. Continuation rows begin in the value column. */
function argumentRows({ args, kwargs }: ApprovalRequest, width: number): readonly string[] {
  const named = Object.keys(kwargs).length > 0
  if (args.length === 0 && !named) return ['  arguments  none']
  const shown = args.length === 0 ? kwargs : named ? { args, kwargs } : args
  const rows = JSON.stringify(shown, null, 2).split('\n')
  return ['  arguments', ...rows.flatMap((row) => argumentRow(escapeForTerminal(row, Number.POSITIVE_INFINITY), width))]
}

function argumentRow(row: string, width: number): readonly string[] {
  const blanks = Math.min(/^ */.exec(row)?.[0].length ?? 0, MOST_NESTED)
  return breakRows(' '.repeat(4 + blanks), row.trimStart(), width, LABEL_WIDTH)
}

/** The maximum indentation of a value, at two spaces per level. Deeper levels are not indented further. */
const MOST_NESTED = 20
