// Estimates the database's clock between answers: the last reported time plus the elapsed time of a monotonic
// clock. Hosts with different system clocks agree on it.

export class DatabaseClock {
  #saidMs = 0
  #heardAt = 0

  /** Sets the time from an answer, in milliseconds since 1970. */
  hear(nowMs: number): void {
    this.#saidMs = nowMs
    this.#heardAt = performance.now()
  }

  /** Time since the last answer, in milliseconds. */
  get silenceMs(): number {
    return performance.now() - this.#heardAt
  }

  now(): Date {
    return new Date(this.#saidMs + this.silenceMs)
  }
}
