import { type CanonicalVerdict, jsonInvalid } from './canonical-verdict.js'
import * as order from './key-order.js'
import type { JsonStringScanner } from './string.js'

/**
 * Checks the keys of one object for order and duplicates as they are read.
 *
 * While keys are ascending, they cannot repeat, so each key is compared in place with only the preceding key. After
 * the first key that is out of order, all keys are stored in a set, because an unsorted object is still valid JSON
 * if no key repeats.
 */
export class ObjectKeys {
  readonly #text: string
  readonly #strings: JsonStringScanner
  readonly #verdict: CanonicalVerdict
  /** The start and end of every key, without the quotes. */
  readonly #spans: number[] = []
  #lastStart = -1
  #lastEnd = -1
  #anyEscaped = false
  #seen: Set<string> | null = null

  constructor(text: string, strings: JsonStringScanner, verdict: CanonicalVerdict) {
    this.#text = text
    this.#strings = strings
    this.#verdict = verdict
  }

  /**
   * Adds the key at `[start, end)`, which must be the last string that was scanned.
   *
   * @throws CryptoError `JSON_INVALID` for a duplicate key; keys are compared after decoding
   */
  add(start: number, end: number): void {
    if (this.#strings.escaped) this.#anyEscaped = true
    if (this.#lastStart !== -1) this.#compareWithLast(start, end)
    if (this.#seen !== null) {
      const key = this.#strings.decode(start, end)
      if (this.#seen.has(key)) throw duplicate(start)
      this.#seen.add(key)
    }
    this.#spans.push(start, end)
    this.#lastStart = start
    this.#lastEnd = end
  }

  #compareWithLast(start: number, end: number): void {
    switch (this.#orderToLast(start, end)) {
      case order.EQUAL:
        throw duplicate(start)
      case order.DESCENDING:
        this.#verdict.flaw('key out of order', start - 1)
        this.#seen ??= this.#decodeAll()
        break
      case order.ASCENDING_BY_CODE_POINT_ONLY:
        this.#verdict.notRfc8785('key out of order by UTF-16 code unit', start - 1)
        this.#seen ??= this.#decodeAll()
        break
      case order.ASCENDING_BY_UNIT_ONLY:
        this.#verdict.notPython('key out of order by code point', start - 1)
    }
  }

  #orderToLast(start: number, end: number): order.KeyOrder {
    if (!this.#anyEscaped) return order.keyOrder(this.#text, this.#lastStart, this.#lastEnd, this.#text, start, end)
    const last = this.#strings.decode(this.#lastStart, this.#lastEnd)
    const key = this.#strings.decode(start, end)
    return order.keyOrder(last, 0, last.length, key, 0, key.length)
  }

  #decodeAll(): Set<string> {
    const keys = new Set<string>()
    for (let i = 0; i < this.#spans.length; i += 2) {
      keys.add(this.#strings.decode(this.#spans[i] ?? 0, this.#spans[i + 1] ?? 0))
    }
    return keys
  }
}

const duplicate = (start: number): Error => jsonInvalid('duplicate key', start - 1)
