// Text of others behind a label of ours. A terminal wraps a long line to its left edge, where the rest of it can look like a row of ours; so lines
// are broken here, at a blank where there is one, and each further row begins with blanks.
import { breakRows, usableColumns } from '@sudoagent/core/terminal'
import { printable } from '@sudoagent/ledger'
import type { Paint } from './paint.js'

const PRINTABLE_ASCII = /^[\x20-\x7e]*$/

/**
 * @param label - of ours, in ASCII
 * @param text - safe to print by now (`printable`)
 * @param columns - cells of the terminal; undefined where there is none, and nothing is broken
 * @param indent - blanks in front of further rows; the length of the label unless given
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
  // Cells of other characters are for `breakRows` to count.
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
    // A blank that a row would begin with is what was broken at.
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

/**
 * A row of a list of fields: `name  value`, further rows in the column of the values.
 *
 * @param value - made printable here
 */
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
  const [first = '', ...further] = rowsOf(`${label}  `, printable(value), columns)
  return [paint(label) + first.slice(label.length), ...further].map((row) => `${row}\n`).join('')
}

/** A verdict: a painted word, a colon, and what it means. */
export function verdictRow(
  word: string,
  means: string,
  { columns, paint }: { readonly columns: number | undefined; readonly paint: (text: string) => string },
): string {
  const [first = '', ...further] = rowsOf(`${word}: `, means, columns, 2)
  return [paint(word) + first.slice(word.length), ...further].map((row) => `${row}\n`).join('')
}
