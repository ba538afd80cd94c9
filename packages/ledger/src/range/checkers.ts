// Checks the ranges of a ledger in parallel.
//
// A range is a run of whole lines, cut at fixed places (byte offsets of a JSONL file, row ids of a database). The
// check of a range does not depend on earlier ranges. It covers canonical JSON, hashes, signatures, and the hash
// chain within the range. The result is a `RangeSummary`. The walk (`verify/range-walk.ts`) applies the summaries in
// order and does the remaining checks: the link to the previous range, the life cycle of calls, the tree.
//
// Worker threads check a large ledger. The number of threads is the number of cores or one for every 16 ranges,
// whichever is lower, but at most 8. The calling thread checks a smaller ledger:
//
//   4 cores,  20 ranges   →  the calling thread
//   4 cores,  80 ranges   →  4 workers, up to 16 ranges requested ahead
//   16 cores, 80 ranges   →  5 workers, up to 20 ranges requested ahead
//
// A checker does not report findings. If a range has a defect or an unusual line, or if a worker fails, the result is
// null and the walk reads the range line by line.
import { availableParallelism } from 'node:os'
import type { PublicKey } from '@sudoagent/crypto'
import { ChunkChecker, chunkKeysOf } from '../plain/chunk-checker.js'
import type { FetchedSource, LineRanges, Place, RangeSource } from '../port/reader.js'
import { checkRows, openRangeChecker, type RangeChecker, type RangeSummary } from './checker.js'
import { HELPERS_MAX, Helpers } from './worker-pool.js'

export interface RangeCheckers {
  /** Maximum number of ranges to request ahead. */
  readonly ahead: number
  /**
   * @param listsAllowed - whether the summary lists the calls that are allowed
   * @returns null if the range must be read line by line
   */
  check(from: Place, to: Place, listsAllowed: boolean): Promise<RangeSummary | null>
  /** Returns undefined if the result is unknown. */
  health(): Promise<string | undefined>
  close(): Promise<void>
}

/** Minimum number of ranges for each worker: starting a worker takes as long as checking about ten ranges. */
const RANGES_PER_HELPER = 16

/**
 * @param keys - the keys that may sign; null if signatures are not checked
 * @param threads - maximum number of threads. Default: the number of cores; small ledgers use one
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

  async check(from: Place, to: Place, listsAllowed: boolean): Promise<RangeSummary | null> {
    try {
      return this.#checker.check(from, to, listsAllowed)
    } catch {
      return null
    }
  }

  /** Returns undefined: the reader, which has the store open, runs the integrity check itself. */
  async health(): Promise<undefined> {
    return undefined
  }

  async close(): Promise<void> {
    this.#checker.close()
  }
}

/** Fetches the next rows while the current rows are checked. */
class HandedRows implements RangeCheckers {
  readonly ahead = 2
  readonly #source: FetchedSource
  readonly #checker: ChunkChecker

  constructor(source: FetchedSource, checker: ChunkChecker) {
    this.#source = source
    this.#checker = checker
  }

  async check(from: Place, to: Place, listsAllowed: boolean): Promise<RangeSummary | null> {
    const rows = await this.#source.fetch(from, to)
    return rows && checkRows(this.#checker, rows, listsAllowed)
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

  async check(from: Place, to: Place, listsAllowed: boolean): Promise<RangeSummary | null> {
    if (this.#fetched === null) return this.#helpers.ask({ from, to, listsAllowed })
    const rows = await this.#fetched.fetch(from, to)
    return rows === null ? null : this.#helpers.ask({ rows, listsAllowed })
  }

  health(): Promise<string | undefined> {
    return this.#helpers.health()
  }

  close(): Promise<void> {
    return this.#helpers.close()
  }
}
