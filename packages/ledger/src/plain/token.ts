// Tokens that several parts of a recognised line have.
import type { LineCursor } from './line-cursor.js'

const MINUS = 0x2d

/** Reads null or a string of at most `maxLength` characters. */
export function textOrNull(cursor: LineCursor, maxLength: number): boolean {
  return cursor.word('null') || (cursor.word('"') && cursor.string(maxLength))
}

/** Whether the next number does not have a sign. */
export const isNotNegative = (cursor: LineCursor): boolean => cursor.text.charCodeAt(cursor.at) !== MINUS

/** Reads an integer that is not negative. */
export const isCount = (cursor: LineCursor): boolean => isNotNegative(cursor) && cursor.integer()
