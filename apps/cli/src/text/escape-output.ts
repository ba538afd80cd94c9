// Escapes program formats (`--format json`) for a terminal. JSON keeps its value; in other formats the escapes show
// the original characters.
import { escapeUnseen } from '@sudoagent/crypto/text'

/**
 * Escapes characters that move the cursor, change colours, are invisible, reorder text or imitate letters, in the
 * form of JSON: `\u202e`. Keeps line breaks.
 */
export function escapeOutput(text: string): string {
  return escapeUnseen(text, escaped, true)
}

/**
 * Escapes a row of CSV as one line: a cell may contain line breaks, and the text after a line break could imitate
 * other output.
 */
export function escapeOutputRow(row: string): string {
  return `${escapeUnseen(row.replace(/\r?\n$/, ''), escaped)}\n`
}

/** Escapes each UTF-16 code unit, like JSON. */
function escaped(char: string): string {
  return char
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('')
}
