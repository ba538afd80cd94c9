// Threads that help: each opens the same store, answers what it is asked in order, and does its work range by range. Whatever fails in one only
// means that nobody has an answer; then the thread that asked does the work itself.
import { Worker } from 'node:worker_threads'
import type { HelperStart, HelperTask } from './worker.js'

/** More would wait for the one thread that puts their answers together. */
export const HELPERS_MAX = 8

/** Looking at the health of a store takes as long as thousands of ranges: whoever does it gets none meanwhile. */
const HEALTH_WEIGHT = 1_000

const WORKER = new URL('./worker.js', import.meta.url)

/** What a thread holds at a time is a range and what is made of it. */
const WORKER_LIMITS = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 16 }

/** Ranges that each helper has before it: one that it works at, one more so that it never waits, and some for uneven ones. */
const AHEAD_PER_HELPER = 4

/** @typeParam Answer - what is answered to a range: an object */
export class Helpers<Answer extends object> {
  /** How many ranges may be asked for ahead. */
  readonly ahead: number
  readonly #helpers: readonly Helper<Answer>[]

  constructor(start: HelperStart, count: number) {
    this.ahead = count * AHEAD_PER_HELPER
    this.#helpers = Array.from({ length: count }, () => new Helper<Answer>(start))
  }

  /** Null when nobody could answer. */
  async ask(task: Exclude<HelperTask, 'health'>): Promise<Answer | null> {
    const answer = await this.#leastBusy().ask(task)
    return typeof answer === 'object' ? answer : null
  }

  /** What the store as a whole says of itself; undefined when nobody could tell. */
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

/** One thread. It answers in order; when it dies, every question is answered with null. */
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
      const handed = typeof task === 'object' && 'lines' in task ? [task.lines.buffer as ArrayBuffer] : []
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
