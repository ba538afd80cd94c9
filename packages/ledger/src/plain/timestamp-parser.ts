import { isTimestamp } from '../entry/timestamp.js'
import type { LineCursor } from './line-cursor.js'

const TIMESTAMP_CHARS = 27
/** Length of `2026-11-22T20:18:29`. */
const SECOND_CHARS = 19

/**
 * Reads the timestamps of one member, line by line. If a timestamp is in the same second as the timestamp before it,
 * only the fraction is parsed.
 */
export class TimestampParser {
  #second = ''

  read(cursor: LineCursor): boolean {
    if (!cursor.string(TIMESTAMP_CHARS)) return false
    const { text, start, end } = cursor
    if (end - start !== TIMESTAMP_CHARS) return false
    if (
      this.#second !== '' &&
      text.slice(start, start + SECOND_CHARS) === this.#second &&
      isFraction(text, start + SECOND_CHARS)
    )
      return true
    const timestamp = cursor.taken()
    if (!isTimestamp(timestamp)) return false
    this.#second = timestamp.slice(0, SECOND_CHARS)
    return true
  }
}

/** Whether the text at an offset has the form `.260673Z`. */
function isFraction(text: string, at: number): boolean {
  if (text.charCodeAt(at) !== 0x2e || text.charCodeAt(at + 7) !== 0x5a) return false
  for (let i = at + 1; i < at + 7; i += 1) {
    const unit = text.charCodeAt(i)
    if (unit < 0x30 || unit > 0x39) return false
  }
  return true
}
