// Wraps untrusted text after a label. A terminal would continue a long line at its left edge, where the rest could
// imitate a row of the output. Lines are therefore wrapped here, at a space if possible, and each continuation line
// is indented.
//
//   rows.ts             labels, fields and verdicts, wrapped
//   table.ts            entries as a table
//   width.ts            widths in terminal cells
//   escape-output.ts    escapes JSON, NDJSON and CSV for a terminal
//   approval-text.ts    approvals
//   definition-text.ts  tool definitions of MCP servers
//   not-shown.ts        concealed arguments
//   paint.ts            colours
//
// Callers escape the text first, with `escapeForTerminal`. On a terminal of 30 columns:
//
//   rowsOf('reason  ', 'refund above the limit of this month', 30)
//   reason  refund above the
//           limit of this month
import { breakRows, usableColumns } from '@sudoagent/core/terminal'
import { escapeForTerminal } from '@sudoagent/crypto/text'
import type { Paint } from './paint.js'

const PRINTABLE_ASCII = /^[\x20-\x7e]*$/

/**
 * @param label - trusted text in ASCII
 * @param text - already escaped with `escapeForTerminal`
 * @param columns - width of the terminal in cells; undefined without a terminal: nothing is wrapped
 * @param indent - indentation of continuation lines; default: the length of the label
 */
export function rowsOf(
  label: string,
  text: string,
  columns: number | undefined,
  indent = label.length,
): readonly string[] {
  if (columns === undefined) return [label + text]
  const width = usableColumns(columns)
  const room = width - 1
  if (label.length + text.length <= room && PRINTABLE_ASCII.test(text)) return [label + text]
  // Outside ASCII, a character can have any width; `breakRows` measures the characters.
  if (!PRINTABLE_ASCII.test(text)) return breakRows(label, text, width, indent)
  const blanks = ' '.repeat(indent)
  const rows: string[] = []
  let row = label
  let isEmpty = true
  const next = (): void => {
    rows.push(row)
    row = blanks
    isEmpty = true
  }
  for (const word of text.split(/(?<=[^ ])(?= )/)) {
    // The space at which a line was broken is dropped.
    const said = isEmpty && rows.length > 0 ? word.trimStart() : word
    if (row.length + said.length <= room) {
      row += said
      isEmpty = false
      continue
    }
    if (!isEmpty) next()
    const pieces = breakRows(row, word.trimStart(), width, indent)
    rows.push(...pieces.slice(0, -1))
    row = pieces.at(-1) ?? blanks
    isEmpty = false
  }
  return [...rows, row]
}

/** Formats a field, `name value`; continuation lines start in the value column. @param value - escaped here */
export function fieldRow(
  name: string,
  width: number,
  value: string,
  {
    columns,
    paint = (text) => text,
  }: { readonly columns: number | undefined; readonly paint?: Paint['dim'] | ((text: string) => string) },
): string {
  const label = name.padEnd(width)
  const [first = '', ...further] = rowsOf(`${label}  `, escapeForTerminal(value), columns)
  return [paint(label) + first.slice(label.length), ...further].map((row) => `${row}\n`).join('')
}

/** Formats a verdict: a coloured word, a colon and its meaning. */
export function verdictRow(
  word: string,
  means: string,
  { columns, paint }: { readonly columns: number | undefined; readonly paint: (text: string) => string },
): string {
  const [first = '', ...further] = rowsOf(`${word}: `, means, columns, 2)
  return [paint(word) + first.slice(word.length), ...further].map((row) => `${row}\n`).join('')
}
