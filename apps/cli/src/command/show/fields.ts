// Formats fields and JSON members for `sudoagent show`.
import { parametersText } from '@sudoagent/crypto/entry'
import { indentJson, scanJson } from '@sudoagent/crypto/json'
import { escapeForTerminal } from '@sudoagent/crypto/text'
import type { EntryRecord } from '@sudoagent/ledger/entry'
import type { Paint } from '../../text/paint.js'
import { rowsOf } from '../../text/rows.js'

export const NAME_WIDTH = 15

/** A coloured text, and text after it. Neither contains ledger text. */
export interface Marked {
  readonly word: string
  readonly paint: (text: string) => string
  readonly rest?: string
}

/** A string is already escaped. A field without a value is not shown. */
export type Field = readonly [name: string, value: string | Marked | null | undefined]

/** Lines of `name  value`. @param columns - width of the terminal in cells; undefined without a terminal */
export function fieldLines(fields: readonly Field[], paint: Paint, columns: number | undefined): string {
  return fields
    .flatMap(([name, value]): readonly string[] => {
      if (value === undefined || value === null) return []
      const { word, paint: mark, rest }: Marked = typeof value === 'string' ? { word: value, paint: same } : value
      const label = name.padEnd(NAME_WIDTH)
      const rows = rowsOf(label, rest === undefined ? word : `${word}  ${rest}`, columns)
      // Without a rest, all rows belong to the word.
      return rows.map((row, n) => {
        const [start, text] = [row.slice(0, NAME_WIDTH), row.slice(NAME_WIDTH)]
        const head = n === 0 ? paint.dim(start) : start
        if (rest === undefined) return head + mark(text)
        return n === 0 && text.startsWith(word)
          ? head + mark(word) + paint.dim(text.slice(word.length))
          : head + paint.dim(text)
      })
    })
    .map((row) => `${row}\n`)
    .join('')
}

const same = (text: string): string => text

export const safe = (text: string | null | undefined): string | null =>
  text === undefined || text === null ? null : escapeForTerminal(text)

/** The position of an entry, and the time when it was recorded. */
export function placeOf({ position, entry }: EntryRecord): string {
  const { recorded_at: recorded, created_at: created } = entry
  const time = recorded === undefined ? created : `recorded ${recorded}`
  return time === undefined ? `entry ${position}` : `entry ${position}, ${time}`
}

/** The hashes of entries, and who signed them. The signers are on a separate line, because a hash fills a line. */
export function hashFields(records: readonly EntryRecord[]): readonly Field[] {
  const signers = records.map(({ position, entry: { entry_signature: signature, key_id: keyId } }) => {
    const signer = signature === undefined ? 'none' : keyId === undefined ? 'an unnamed key' : `key ${keyId}`
    return `entry ${position}: ${signer}`
  })
  return [
    ...records.map(({ position, entry }): Field => [`  entry ${position}`, entry.entry_hash]),
    ['  signatures', signers.join(', ')],
  ]
}

/** The stored text of a member; null if the line does not have it. */
export function memberText(line: string, member: string): string | null {
  const { members } = scanJson(line)
  if (member === 'parameters') return parametersText(line, members)
  const span = members.get(member)
  return span === undefined ? null : line.slice(...span)
}

/** JSON as stored, indented; empty if it is absent or an empty object. */
export function jsonSection(title: string, json: string | null, paint: Paint, columns: number | undefined): string {
  if (json === null || json === '{}') return ''
  const rows = indentJson(json)
    .split('\n')
    .flatMap((line) => jsonRows(line, columns))
  return `\n${paint.dim(title)}\n${rows.map((row) => `${row}\n`).join('')}`
}

/** Largest indentation of a JSON line; deeper lines start in the same column. */
const BLANKS_MAX = 40

/** One line of JSON; continuation lines start in the column of the values above. */
function jsonRows(line: string, columns: number | undefined): readonly string[] {
  const shown = escapeForTerminal(line)
  if (columns === undefined) return [`  ${shown}`]
  const text = shown.trimStart()
  return rowsOf(' '.repeat(2 + Math.min(shown.length - text.length, BLANKS_MAX)), text, columns, NAME_WIDTH)
}
