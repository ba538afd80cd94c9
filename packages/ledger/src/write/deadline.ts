// A deadline for what may never come to an end: a signer, a store, a server far away. Nearly everything ends at once, and a timer for each costs
// more than what it waits for: it is made, put in order, taken out again, and the event loop is told of both. So all that may take equally long
// share one timer. It is set for the oldest, and looks again when it goes off.

/** What is waited for. All of one length, so they are due in the order in which they began. */
interface Wait {
  readonly dueAt: number
  giveUp(): void
}

/**
 * The result of `work`, or a rejection after `ms` milliseconds. Work that comes to an end later is not heard; a late failure is swallowed. The process
 * stays alive for as long as something is waited for, and no longer.
 *
 * @param late - makes what it is rejected with
 */
export function withTimeout<T>(work: PromiseLike<T>, ms: number, late: () => unknown): Promise<T> {
  let watch = watches.get(ms)
  if (watch === undefined) {
    watch = new Watch(ms)
    watches.set(ms, watch)
  }
  return watch.over(work, late)
}

/** By length, in milliseconds. One that has nothing to wait for when its timer goes off is taken out. */
const watches = new Map<number, Watch>()

class Watch {
  readonly #ms: number
  readonly #waits = new Set<Wait>()
  #timer: NodeJS.Timeout | null = null

  constructor(ms: number) {
    this.#ms = ms
  }

  over<T>(work: PromiseLike<T>, late: () => unknown): Promise<T> {
    return new Promise((resolve, reject) => {
      const wait = { dueAt: performance.now() + this.#ms, giveUp: () => reject(late()) }
      this.#begin(wait)
      Promise.resolve(work).then(
        (value) => {
          this.#end(wait)
          resolve(value)
        },
        (error: unknown) => {
          this.#end(wait)
          reject(error)
        },
      )
    })
  }

  #begin(wait: Wait): void {
    this.#waits.add(wait)
    if (this.#timer === null) this.#set(this.#ms)
    else if (this.#waits.size === 1) this.#timer.ref()
  }

  #end(wait: Wait): void {
    this.#waits.delete(wait)
    if (this.#waits.size === 0) this.#timer?.unref()
  }

  #set(ms: number): void {
    this.#timer = setTimeout(() => this.#look(), Math.ceil(ms))
  }

  #look(): void {
    this.#timer = null
    const now = performance.now()
    for (const wait of this.#waits) {
      if (wait.dueAt > now) {
        this.#set(wait.dueAt - now)
        return
      }
      this.#waits.delete(wait)
      wait.giveUp()
    }
    watches.delete(this.#ms)
  }
}
