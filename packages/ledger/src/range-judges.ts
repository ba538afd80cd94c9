// Who judges the ranges of a ledger: threads that help, or for small ledgers the thread that asks. Whatever fails here only means that a range is
// looked at line by line, by the one walk that knows what a finding is.
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { PublicKey } from '@sudoagent/crypto'
import type { FetchedSource, LineRanges, Place, RangeSource } from './ledger.js'
import { PartJudge, partKeysOf } from './part/judge.js'
import { judgeRows, openRangeJudge, type RangeFacts, type RangeJudge } from './store/range-judge.js'
import type { HelperStart, HelperTask } from './store/range-worker.js'

export interface RangeJudges {
  /** How many ranges may be asked for ahead. */
  readonly ahead: number
  /** Null for a range that must be looked at line by line. */
  judge(from: Place, to: Place): Promise<RangeFacts | null>
  /** Undefined when nobody could tell. */
  health(): Promise<string | undefined>
  close(): Promise<void>
}

/** Ranges for which it pays to start a helper: that takes as long as some ten of them. */
const RANGES_PER_HELPER = 16

/** More would wait for the one thread that puts their answers together. */
const HELPERS_MAX = 8

/**
 * @param keys - that may sign; null where signatures are not asked for
 * @param threads - how many may work at a time; by default as many as there are cores, for a ledger that is worth it
 */
export async function openRangeJudges(
  ranges: LineRanges,
  keys: readonly PublicKey[] | null,
  threads = availableParallelism(),
): Promise<RangeJudges> {
  const helpers = Math.min(threads, HELPERS_MAX, Math.floor(ranges.end / ranges.step / RANGES_PER_HELPER))
  const { source } = ranges
  if (helpers > 1) return new HelpingThreads(source, keys, helpers)
  if (source.kind === 'fetched') return new HandedRows(source, new PartJudge(partKeysOf(keys)))
  return new OwnThread(await openRangeJudge(source, partKeysOf(keys)))
}

class OwnThread implements RangeJudges {
  readonly ahead = 1
  readonly #judge: RangeJudge

  constructor(judge: RangeJudge) {
    this.#judge = judge
  }

  async judge(from: Place, to: Place): Promise<RangeFacts | null> {
    try {
      return this.#judge.judge(from, to)
    } catch {
      return null
    }
  }

  /** The reader itself can tell: it has the store open. */
  async health(): Promise<undefined> {
    return undefined
  }

  async close(): Promise<void> {
    this.#judge.close()
  }
}

/** The next rows are on their way while these are looked at. */
class HandedRows implements RangeJudges {
  readonly ahead = 2
  readonly #source: FetchedSource
  readonly #judge: PartJudge

  constructor(source: FetchedSource, judge: PartJudge) {
    this.#source = source
    this.#judge = judge
  }

  async judge(from: Place, to: Place): Promise<RangeFacts | null> {
    const rows = await this.#source.fetch(from, to)
    return rows && judgeRows(this.#judge, rows)
  }

  async health(): Promise<undefined> {
    return undefined
  }

  async close(): Promise<void> {}
}

/** Looking at the health of a store takes as long as thousands of ranges: whoever does it gets none meanwhile. */
const HEALTH_WEIGHT = 1_000

/** Ranges that each helper has before it: one that it works at, one more so that it never waits, and some for uneven ones. */
const AHEAD_PER_HELPER = 4

class HelpingThreads implements RangeJudges {
  readonly ahead: number
  readonly #fetched: FetchedSource | null
  readonly #helpers: readonly Helper[]

  constructor(source: RangeSource, keys: readonly PublicKey[] | null, count: number) {
    this.ahead = count * AHEAD_PER_HELPER
    this.#fetched = source.kind === 'fetched' ? source : null
    const start = { source: source.kind === 'fetched' ? null : source, keys: keys?.map(({ pem }) => pem) ?? null }
    this.#helpers = Array.from({ length: count }, () => new Helper(start))
  }

  async judge(from: Place, to: Place): Promise<RangeFacts | null> {
    const task = this.#fetched === null ? ([from, to] as const) : await this.#fetched.fetch(from, to)
    const answer = task === null ? null : await this.#leastBusy().ask(task)
    return typeof answer === 'object' ? answer : null
  }

  async health(): Promise<string | undefined> {
    const answer = await this.#leastBusy().ask('health')
    return typeof answer === 'string' ? answer : undefined
  }

  async close(): Promise<void> {
    await Promise.all(this.#helpers.map((helper) => helper.stop()))
  }

  #leastBusy(): Helper {
    return this.#helpers.reduce((best, helper) => (helper.waiting < best.waiting ? helper : best))
  }
}

type Answer = RangeFacts | string | null

/** One thread. It answers in order; when it dies, every question is answered with null. */
class Helper {
  readonly #worker: Worker
  readonly #asked: ((answer: Answer) => void)[] = []
  #isDead = false
  #isAskedForHealth = false

  constructor(start: HelperStart) {
    this.#worker = new Worker(new URL('./store/range-worker.js', import.meta.url), {
      workerData: start,
      // What it holds at a time is a range and its facts.
      resourceLimits: { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 16 },
    })
    this.#worker.on('message', (answer: Answer) => {
      if (typeof answer === 'string') this.#isAskedForHealth = false
      this.#asked.shift()?.(answer)
    })
    this.#worker.on('error', () => this.#die())
    this.#worker.on('exit', () => this.#die())
  }

  get waiting(): number {
    return this.#isDead ? Number.POSITIVE_INFINITY : this.#asked.length + (this.#isAskedForHealth ? HEALTH_WEIGHT : 0)
  }

  ask(task: HelperTask): Promise<Answer> {
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
