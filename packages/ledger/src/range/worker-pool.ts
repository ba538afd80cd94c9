// A pool of worker threads. Each worker opens the same store and processes its tasks in order. If a worker fails, its
// tasks resolve to null, and the calling thread does the work itself.
import { Worker } from 'node:worker_threads'
import type { HelperStart, HelperTask } from './worker.js'

/** Maximum number of workers. Further workers would only wait for the single thread that merges the results. */
export const HELPERS_MAX = 8

/** Weight of an integrity check when tasks are distributed: the check takes as long as thousands of ranges. */
const HEALTH_WEIGHT = 1_000

const WORKER = new URL('./worker.js', import.meta.url)

/** A worker holds one range and its result in memory at a time. */
const WORKER_LIMITS = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 16 }

/** Queue length of each worker: the current range, the next range, and two more, since the work for a range varies. */
const AHEAD_PER_HELPER = 4

/** @typeParam Answer - the type of a range result: an object */
export class Helpers<Answer extends object> {
  /** Maximum number of ranges to request ahead. */
  readonly ahead: number
  readonly #helpers: readonly Helper<Answer>[]

  constructor(start: HelperStart, count: number) {
    this.ahead = count * AHEAD_PER_HELPER
    this.#helpers = Array.from({ length: count }, () => new Helper<Answer>(start))
  }

  /** Null if the worker failed. */
  async ask(task: Exclude<HelperTask, 'health'>): Promise<Answer | null> {
    const answer = await this.#leastBusy().ask(task)
    return typeof answer === 'object' ? answer : null
  }

  /** Runs the store's integrity check. Returns `ok` or the damage; undefined if the worker failed. */
  async health(): Promise<string | undefined> {
    const answer = await this.#leastBusy().ask('health')
    return typeof answer === 'string' ? answer : undefined
  }

  async close(): Promise<void> {
    await Promise.all(this.#helpers.map((helper) => helper.stop()))
  }

  #leastBusy(): Helper<Answer> {
    return this.#helpers.reduce((best, helper) => (helper.waiting < best.waiting ? helper : best))
  }
}

/** One thread. It answers tasks in order; if the thread exits, every pending task resolves to null. */
class Helper<Answer extends object> {
  readonly #worker: Worker
  readonly #asked: ((answer: Answer | string | null) => void)[] = []
  #isDead = false
  #isAskedForHealth = false

  constructor(start: HelperStart) {
    this.#worker = new Worker(WORKER, { workerData: start, resourceLimits: WORKER_LIMITS })
    this.#worker.on('message', (answer: Answer | string | null) => {
      if (typeof answer === 'string') this.#isAskedForHealth = false
      this.#asked.shift()?.(answer)
    })
    this.#worker.on('error', () => this.#die())
    this.#worker.on('exit', () => this.#die())
  }

  get waiting(): number {
    return this.#isDead ? Number.POSITIVE_INFINITY : this.#asked.length + (this.#isAskedForHealth ? HEALTH_WEIGHT : 0)
  }

  ask(task: HelperTask): Promise<Answer | string | null> {
    if (this.#isDead) return Promise.resolve(null)
    if (task === 'health') this.#isAskedForHealth = true
    return new Promise((resolve) => {
      this.#asked.push(resolve)
      const handed = typeof task === 'object' && 'rows' in task ? [task.rows.lines.buffer as ArrayBuffer] : []
      this.#worker.postMessage(task, handed)
    })
  }

  async stop(): Promise<void> {
    await this.#worker.terminate()
  }

  #die(): void {
    this.#isDead = true
    for (const resolve of this.#asked.splice(0)) resolve(null)
  }
}
