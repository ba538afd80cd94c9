// A map of values that are kept for a limited time, with a limited number and size: the oldest go first.

export interface KeptLimits {
  readonly count: number
  readonly bytes: number
}

interface Item<V> {
  readonly value: V
  readonly bytes: number
  /** On the clock of `performance.now()`. */
  readonly untilMs: number
}

export class Kept<V> {
  readonly #limits: KeptLimits
  readonly #items = new Map<string, Item<V>>()
  #bytes = 0

  constructor(limits: KeptLimits) {
    this.#limits = limits
  }

  get values(): readonly V[] {
    const now = performance.now()
    return [...this.#items.values()].filter(({ untilMs }) => untilMs > now).map(({ value }) => value)
  }

  get(key: string): V | undefined {
    const item = this.#items.get(key)
    return item === undefined || item.untilMs <= performance.now() ? undefined : item.value
  }

  /** A value that alone exceeds the limit is not kept. */
  set(key: string, value: V, { bytes, forMs }: { readonly bytes: number; readonly forMs: number }): void {
    this.delete(key)
    const now = performance.now()
    this.#items.set(key, { value, bytes, untilMs: now + forMs })
    this.#bytes += bytes
    for (const [oldest, { untilMs }] of this.#items) {
      const isFull = this.#items.size > this.#limits.count || this.#bytes > this.#limits.bytes
      if (isFull || untilMs <= now) this.delete(oldest)
    }
  }

  delete(key: string): void {
    const item = this.#items.get(key)
    if (item === undefined) return
    this.#items.delete(key)
    this.#bytes -= item.bytes
  }
}
