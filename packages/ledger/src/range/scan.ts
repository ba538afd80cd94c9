// Reads a ledger from the beginning to the end for somebody who looks for something in it, or hands it out: ranges that can be dealt with as a
// whole as such, all others as lines.
import { availableParallelism } from 'node:os'
import { setImmediate as turn } from 'node:timers/promises'
import type { StoredLine } from '../entry/stored-line.js'
import type { LedgerReader, LineRanges, OpenedSource, Place } from '../port/reader.js'
import { openRangeScanner, type RangeScanner, type RangeText } from './scanner.js'
import type { PieceWork } from './task.js'
import { HELPERS_MAX, Helpers } from './worker-pool.js'

/** A range that was dealt with, and how many lines there were up to its end; or lines, which nobody has looked at. */
export type Scanned = { readonly texts: readonly string[]; readonly lines: number } | readonly StoredLine[]

export interface ScanOptions {
  /** How many threads may work at a time. */
  readonly threads?: number | undefined
}

/**
 * @param work - what is to be done with ranges; null to get lines alone
 * @throws LedgerError when the store cannot be read
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
  // The first range line by line: small ledgers have no other, and ids below 1 are in it.
  const looking = ranges.isSound?.()
  // Where reading ends before it is waited for.
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
  // Behind the last range, too: where a ledger ends is not for its ranges to say.
  yield* walk.lines(null)
  ranges.finish(walk.lineCount, health)
}

/** Where reading has come to. */
class Walk {
  /** Of the next line; null when there is none, or none that can be read. */
  place: Place | null = 0
  lineCount = 0
  readonly #ranges: LineRanges

  constructor(ranges: LineRanges) {
    this.#ranges = ranges
  }

  /** Up to `to`; null for all the rest. */
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

  /** As long as it is known which position a line has: then several ranges can be asked for at a time. */
  async *ranges(scanners: Scanners): AsyncGenerator<Scanned> {
    const { step, end } = this.#ranges
    const asked: RequestedRange[] = []
    for (
      let next = this.place ?? end;
      this.place !== null && this.place < end && this.#ranges.isAt(this.place, this.lineCount + 1);
    ) {
      // A line that is longer than a range has led beyond it.
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
  /** How many ranges may be asked for ahead. */
  readonly ahead: number
  /** Null for a range that must be looked at line by line. */
  scan(from: Place, to: Place, position: number): Promise<RangeText | null>
  /** Undefined when nobody could tell. */
  health(): Promise<string | undefined>
  close(): Promise<void>
}

/** Ranges for which it pays to start a helper. Far less is done with each than when it is checked. */
const RANGES_PER_HELPER = 128

/** Threads help where places are positions; in a file of lines, the position of a range is known when the one before it was read. */
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
  /** Null when the store could not be opened once more: then everything is looked at line by line. */
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

  /** The reader itself can tell: it has the store open. */
  async health(): Promise<undefined> {
    return undefined
  }

  async close(): Promise<void> {
    this.#scanner?.close()
  }
}
