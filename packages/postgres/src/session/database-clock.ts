// Estimates the database clock between answers: the last reported time plus the time elapsed on a monotonic clock.
// Hosts with different system clocks therefore agree on the time.

export class DatabaseClock {
  #saidMs = 0
  #heardAt = 0

  /** Sets the time from an answer, as Unix time in milliseconds. */
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
