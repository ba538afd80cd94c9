// What is meant for programs and is shown to a person all the same: `--format json` on a terminal. Text of JSON keeps its value, character by
// character; in all other formats the escapes say what was there.
import { escapeUnseen } from '@sudoagent/crypto'

/** Lines in which nothing moves the cursor, changes colours, hides, reorders or looks like another letter: such characters are written as JSON escapes them. */
export function escapeForTerminal(text: string): string {
  return escapeUnseen(text, escaped, true)
}

/** A row of CSV as one line: a cell may hold line breaks, and what follows them would look like a line of ours. */
export function escapeRowForTerminal(row: string): string {
  return `${escapeUnseen(row.replace(/\r?\n$/, ''), escaped)}\n`
}

/** By UTF-16 units, as JSON does. */
function escaped(char: string): string {
  return char
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('')
}
