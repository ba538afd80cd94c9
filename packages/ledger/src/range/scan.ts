// Reads a whole ledger for a search or an export: by range where possible, otherwise line by line.
import { availableParallelism } from 'node:os'
import { setImmediate as turn } from 'node:timers/promises'
import type { StoredLine } from '../entry/stored-line.js'
import type { LedgerReader, LineRanges, OpenedSource, Place } from '../port/reader.js'
import { openRangeScanner, type RangeScanner, type RangeText } from './scanner.js'
import type { PieceWork } from './task.js'
import { HELPERS_MAX, Helpers } from './worker-pool.js'

/** Either the result of a range and the number of lines up to the end of the range, or unprocessed lines. */
export type Scanned = { readonly texts: readonly string[]; readonly lines: number } | readonly StoredLine[]

export interface ScanOptions {
  /** Maximum number of threads. */
  readonly threads?: number | undefined
}

/**
 * @param work - the work to do on each range; null to get only lines
 * @throws LedgerError if the store cannot be read
 */
export async function* scan(
  reader: LedgerReader,
  work: PieceWork | null,
  options: ScanOptions = {},
): AsyncGenerator<Scanned> {
  const { ranges } = reader
  if (work === null || ranges === undefined || ranges.source.kind === 'fetched') yield* reader.batches()
  else yield* scanRanges(ranges, ranges.source, work, options)
}

async function* scanRanges(
  ranges: LineRanges,
  source: OpenedSource,
  work: PieceWork,
  { threads }: ScanOptions,
): AsyncGenerator<Scanned> {
  const walk = new Walk(ranges)
  let health: string | undefined
  // The first range is read line by line: it includes any rows with ids below 1, and a small ledger has only one
  // range.
  const looking = ranges.isSound?.()
  // The walk may fail before this promise is awaited, so the promise needs a rejection handler.
  looking?.catch(() => {})
  yield* walk.lines(ranges.step)
  if (((await looking) ?? true) && walk.place !== null) {
    const scanners = await openScanners(ranges, source, work, threads)
    try {
      const asked = scanners.health()
      yield* walk.ranges(scanners)
      health = await asked
    } finally {
      await scanners.close()
    }
  }
  // Reads again after the last range, because the range result does not determine the end of the ledger.
  yield* walk.lines(null)
  ranges.finish(walk.lineCount, health)
}

/** The current position of the scan. */
class Walk {
  /** The place of the next line; null if there is no next line, or if it cannot be read. */
  place: Place | null = 0
  lineCount = 0
  readonly #ranges: LineRanges

  constructor(ranges: LineRanges) {
    this.#ranges = ranges
  }

  /** Reads lines up to `to`; null for all remaining lines. */
  async *lines(to: Place | null): AsyncGenerator<readonly StoredLine[]> {
    if (this.place === null) return
    const lines = this.#ranges.lines(this.place, to, this.lineCount + 1)
    for (;;) {
      const { done, value } = await lines.next()
      if (done) {
        this.place = value
        return
      }
      this.lineCount += value.length
      yield value
    }
  }

  /**
   * Scans ranges as long as a place determines the position of its line, so that several ranges can be requested
   * ahead.
   */
  async *ranges(scanners: Scanners): AsyncGenerator<Scanned> {
    const { step, end } = this.#ranges
    const asked: RequestedRange[] = []
    for (
      let next = this.place ?? end;
      this.place !== null && this.place < end && this.#ranges.isAt(this.place, this.lineCount + 1);
    ) {
      // A line longer than a range may extend past it.
      while (asked[0] !== undefined && asked[0].from < this.place) asked.shift()
      if (asked.length === 0) next = this.place
      for (; asked.length < scanners.ahead && next < end; next += step) {
        const position = this.lineCount + 1 + next - this.place
        asked.push({ from: next, to: next + step, answer: scanners.scan(next, Math.min(next + step, end), position) })
      }
      const range = asked.shift()
      if (range === undefined) return
      const found = await range.answer
      if (found === null) yield* this.lines(range.to)
      else {
        this.lineCount += found.lines
        this.place = found.to
        yield { texts: found.texts, lines: this.lineCount }
      }
    }
  }
}

interface RequestedRange {
  readonly from: Place
  readonly to: Place
  readonly answer: Promise<RangeText | null>
}

interface Scanners {
  /** Maximum number of ranges to request ahead. */
  readonly ahead: number
  /** Null if the range must be read line by line. */
  scan(from: Place, to: Place, position: number): Promise<RangeText | null>
  /** Returns undefined if the result is unknown. */
  health(): Promise<string | undefined>
  close(): Promise<void>
}

/** Minimum number of ranges for each worker. A scan needs far less work for each range than a check. */
const RANGES_PER_HELPER = 128

/**
 * Workers are used only if places are positions. In a JSONL file, the position of a range is unknown until the
 * previous range has been read.
 */
async function openScanners(
  { end, step }: LineRanges,
  source: OpenedSource,
  work: PieceWork,
  threads = availableParallelism(),
): Promise<Scanners> {
  const helpers = Math.min(threads, HELPERS_MAX, Math.floor(end / step / RANGES_PER_HELPER))
  if (source.kind === 'jsonl' || helpers <= 1)
    return new OwnThread(await openRangeScanner(source, work).catch(() => null))
  const pool = new Helpers<RangeText>({ source, work }, helpers)
  return {
    ahead: pool.ahead,
    scan: (...task) => pool.ask(task),
    health: () => pool.health(),
    close: () => pool.close(),
  }
}

class OwnThread implements Scanners {
  readonly ahead = 1
  /** Null if the store could not be reopened, so that all lines are read one by one. */
  readonly #scanner: RangeScanner | null

  constructor(scanner: RangeScanner | null) {
    this.#scanner = scanner
  }

  async scan(from: Place, to: Place, position: number): Promise<RangeText | null> {
    await turn()
    try {
      return this.#scanner?.scan(from, to, position) ?? null
    } catch {
      return null
    }
  }

  /** Returns undefined: the reader, which has the store open, runs the integrity check itself. */
  async health(): Promise<undefined> {
    return undefined
  }

  async close(): Promise<void> {
    this.#scanner?.close()
  }
}
