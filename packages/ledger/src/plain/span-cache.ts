// Caches the parts of a line that often repeat. The offsets in a cached text are known, so the text need not be
// parsed again.
import type { LineCursor } from './line-cursor.js'
import type { Member } from './member.js'

/** Two texts are cached, since decisions and outcomes differ and often alternate. */
const KEPT = 2

interface Kept {
  text: string
  /** Offsets of the members, relative to the beginning of the span; -1 if absent. */
  readonly starts: Int32Array
  readonly ends: Int32Array
}

/**
 * A span must be readable from left to right without lookahead, and must end with a fixed word, so that the text
 * after the span cannot change its meaning.
 */
export class SpanCache {
  /** Reads a span member by member. */
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

  /**
   * Looks for a cached span at the cursor, moves the cursor to the end of the span and sets the offsets of its
   * members.
   * @returns false if no cached span matches
   */
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

  /** Caches the span from `from` to the cursor, and drops the older of the two cached spans. */
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
