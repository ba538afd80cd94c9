// Reads the root pages of tables and indexes from the stored rows of `sqlite_schema` (type, name, tbl_name, rootpage,
// sql).
//
//   06 17 15 15 01 81 2b   header: 6 bytes; texts of 5, 4 and 4 bytes, an integer of one byte, a text of 79 bytes
//   "table" "ledg" "ledg" 02 "CREATE TABLE …"                                    → name "ledg", root page 2
import { Varints } from './format.js'

/**
 * Number of leading bytes of a row that must contain the type, the names and the root page. Real names are far
 * shorter than 16 KiB.
 */
export const SCHEMA_ROW_BYTES = 64 * 1024

const INTEGER_BYTES: readonly number[] = [0, 1, 2, 3, 4, 6, 8]

export interface SchemaRoot {
  readonly name: string
  readonly page: number
}

/** @returns null for a row without a root page; undefined for a row that SQLite cannot have written */
export function readSchemaRoot(row: Buffer): SchemaRoot | null | undefined {
  const varints = new Varints()
  varints.begin(row, 0)
  const headerBytes = varints.next()
  const types = [varints.next(), varints.next(), varints.next(), varints.next()]
  if (types.some(Number.isNaN) || varints.at > headerBytes) return undefined
  let at = headerBytes
  const starts = types.map((type) => {
    const start = at
    at += bytesOf(type)
    return start
  })
  if (at > row.length) return undefined
  const [, nameType = 0, , rootType = 0] = types
  const [, nameStart = 0, , rootStart = 0] = starts
  const page = integerAt(row, rootStart, rootType)
  if (page === undefined || page < 0) return undefined
  const name =
    nameType >= 13 && nameType % 2 === 1 ? row.toString('utf8', nameStart, nameStart + bytesOf(nameType)) : ''
  return page === 0 ? null : { name, page }
}

function bytesOf(type: number): number {
  if (type >= 12) return Math.floor((type - 12) / 2)
  if (type === 7) return 8
  return INTEGER_BYTES[type] ?? 0
}

/** Returns undefined for a value that is neither an integer nor null. */
function integerAt(row: Buffer, at: number, type: number): number | undefined {
  if (type === 0 || type === 8) return 0
  if (type === 9) return 1
  const bytes = INTEGER_BYTES[type]
  if (bytes === undefined) return undefined
  return bytes <= 6 ? row.readIntBE(at, bytes) : Number(row.readBigInt64BE(at))
}
