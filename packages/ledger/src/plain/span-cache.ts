// What stands in line after line between the members that vary: the same text says the same again, and is not read again.
import type { LineCursor } from './line-cursor.js'
import type { Member } from './member.js'

/** Decisions and outcomes take turns, each with a text of its own. */
const KEPT = 2

interface Kept {
  text: string
  /** Where its members begin and end, counted from its own beginning; -1 for those that it has not. */
  readonly starts: Int32Array
  readonly ends: Int32Array
}

/**
 * A stretch must be read from left to right alone, and must end with a word that is always the same: then nothing that comes behind it can change
 * what it says.
 */
export class SpanCache {
  /** Reads one member by member. */
  readonly read: (cursor: LineCursor) => boolean
  readonly #members: readonly Member[]
  readonly #kept: readonly Kept[]
  #last = 0

  constructor(members: readonly Member[], read: (cursor: LineCursor) => boolean) {
    this.#members = members
    this.read = read
    const places = (): Int32Array => new Int32Array(members.length)
    this.#kept = Array.from({ length: KEPT }, () => ({ text: '', starts: places(), ends: places() }))
  }

  /** Whether one that is known stands at the cursor, which is then behind it; its members are put where they are in this line. */
  again(cursor: LineCursor, starts: Int32Array, ends: Int32Array): boolean {
    for (let n = 1; n <= KEPT; n += 1) {
      const index = (this.#last + n) % KEPT
      const kept = this.#kept[index]
      const from = cursor.at
      if (kept === undefined || kept.text === '' || !cursor.word(kept.text)) continue
      this.#last = index
      this.#place(kept, from, starts, ends)
      return true
    }
    return false
  }

  #place(kept: Kept, from: number, starts: Int32Array, ends: Int32Array): void {
    for (let i = 0; i < this.#members.length; i += 1) {
      const member = this.#members[i] ?? 0
      const start = kept.starts[i] ?? -1
      starts[member] = start === -1 ? -1 : from + start
      ends[member] = from + (kept.ends[i] ?? 0)
    }
  }

  /** Keeps the one that was read from `from` on, in the place of the older of those that are known. */
  keep(from: number, cursor: LineCursor, starts: Int32Array, ends: Int32Array): void {
    this.#last = (this.#last + 1) % KEPT
    const kept = this.#kept[this.#last]
    if (kept === undefined) return
    kept.text = cursor.text.slice(from, cursor.at)
    for (const [i, member] of this.#members.entries()) {
      const start = starts[member] ?? -1
      kept.starts[i] = start === -1 ? -1 : start - from
      kept.ends[i] = (ends[member] ?? 0) - from
    }
  }
}
