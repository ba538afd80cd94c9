// The database's clock, between two answers of the database: what it said last, and what has passed since by a clock that nobody sets. Hosts
// whose own clocks are an hour apart agree on it.

export class DatabaseClock {
  #saidMs = 0
  #heardAt = 0

  /** Takes an answer's time: milliseconds since 1970. */
  hear(nowMs: number): void {
    this.#saidMs = nowMs
    this.#heardAt = performance.now()
  }

  /** For how long nothing was heard, in milliseconds. */
  get silenceMs(): number {
    return performance.now() - this.#heardAt
  }

  now(): Date {
    return new Date(this.#saidMs + this.silenceMs)
  }
}
