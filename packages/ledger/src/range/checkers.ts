// Who checks the ranges of a ledger: threads that help, or for small ledgers the thread that asks. Whatever fails here only means that a range is
// looked at line by line, by the one walk that knows what a finding is.
import { availableParallelism } from 'node:os'
import type { PublicKey } from '@sudoagent/crypto'
import { ChunkChecker, chunkKeysOf } from '../plain/chunk-checker.js'
import type { FetchedSource, LineRanges, Place, RangeSource } from '../port/reader.js'
import { checkRows, openRangeChecker, type RangeChecker, type RangeSummary } from './checker.js'
import { HELPERS_MAX, Helpers } from './worker-pool.js'

export interface RangeCheckers {
  /** How many ranges may be asked for ahead. */
  readonly ahead: number
  /** Null for a range that must be looked at line by line. */
  check(from: Place, to: Place): Promise<RangeSummary | null>
  /** Undefined when nobody could tell. */
  health(): Promise<string | undefined>
  close(): Promise<void>
}

/** Ranges for which it pays to start a helper: that takes as long as some ten of them. */
const RANGES_PER_HELPER = 16

/**
 * @param keys - that may sign; null where signatures are not asked for
 * @param threads - how many may work at a time; by default as many as there are cores, for a ledger that is worth it
 */
export async function openRangeCheckers(
  ranges: LineRanges,
  keys: readonly PublicKey[] | null,
  threads = availableParallelism(),
): Promise<RangeCheckers> {
  const helpers = Math.min(threads, HELPERS_MAX, Math.floor(ranges.end / ranges.step / RANGES_PER_HELPER))
  const { source } = ranges
  if (helpers > 1) return new HelpingThreads(source, keys, helpers)
  if (source.kind === 'fetched') return new HandedRows(source, new ChunkChecker(chunkKeysOf(keys)))
  return new OwnThread(await openRangeChecker(source, chunkKeysOf(keys)))
}

class OwnThread implements RangeCheckers {
  readonly ahead = 1
  readonly #checker: RangeChecker

  constructor(checker: RangeChecker) {
    this.#checker = checker
  }

  async check(from: Place, to: Place): Promise<RangeSummary | null> {
    try {
      return this.#checker.check(from, to)
    } catch {
      return null
    }
  }

  /** The reader itself can tell: it has the store open. */
  async health(): Promise<undefined> {
    return undefined
  }

  async close(): Promise<void> {
    this.#checker.close()
  }
}

/** The next rows are on their way while these are looked at. */
class HandedRows implements RangeCheckers {
  readonly ahead = 2
  readonly #source: FetchedSource
  readonly #checker: ChunkChecker

  constructor(source: FetchedSource, checker: ChunkChecker) {
    this.#source = source
    this.#checker = checker
  }

  async check(from: Place, to: Place): Promise<RangeSummary | null> {
    const rows = await this.#source.fetch(from, to)
    return rows && checkRows(this.#checker, rows)
  }

  async health(): Promise<undefined> {
    return undefined
  }

  async close(): Promise<void> {}
}

class HelpingThreads implements RangeCheckers {
  readonly ahead: number
  readonly #fetched: FetchedSource | null
  readonly #helpers: Helpers<RangeSummary>

  constructor(source: RangeSource, keys: readonly PublicKey[] | null, count: number) {
    this.#fetched = source.kind === 'fetched' ? source : null
    const pems = keys?.map(({ pem }) => pem) ?? null
    this.#helpers = new Helpers({ source: source.kind === 'fetched' ? null : source, keys: pems }, count)
    this.ahead = this.#helpers.ahead
  }

  async check(from: Place, to: Place): Promise<RangeSummary | null> {
    const task = this.#fetched === null ? ([from, to] as const) : await this.#fetched.fetch(from, to)
    return task === null ? null : this.#helpers.ask(task)
  }

  health(): Promise<string | undefined> {
    return this.#helpers.health()
  }

  close(): Promise<void> {
    return this.#helpers.close()
  }
}
