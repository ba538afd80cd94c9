// Walks a ledger range by range. A valid range is applied as a whole, and any other range line by line, with the same
// result.

import type { LineRanges, Place } from '../port/reader.js'
import type { RangeSummary } from '../range/checker.js'
import type { RangeCheckers } from '../range/checkers.js'
import type { KeyRing } from '../rules/key-ring.js'
import type { Walk } from './walk.js'

export interface RangeWalkOptions {
  /** Maximum number of threads. */
  readonly threads?: number | undefined
  /** Called after each range with the number of entries so far. */
  readonly onProgress: (entries: number) => void
  /** Throws an exception to end the walk. */
  readonly goOn: () => void
}

/**
 * Continues the walk to the end of the ledger. The first range is read line by line: it contains the genesis, and a
 * small ledger has only one range.
 */
export async function walkRanges(walk: Walk, ranges: LineRanges, options: RangeWalkOptions): Promise<void> {
  const isResumed = walk.entries > 0
  // A resumed run checks only new entries, so it skips the integrity check of the store.
  let health: string | undefined = isResumed ? 'ok' : undefined
  const start = await ranges.placeBehind(walk.entries)
  // The structure of the store is checked while the first range is read. Bulk reads start only after this check. A
  // resumed run rarely has a second range, and the check reads every page, so it waits until there is one.
  const looking = isResumed ? undefined : ranges.isSound?.()
  // The walk may fail before this promise is awaited, so the promise needs a rejection handler.
  looking?.catch(() => {})
  let place = await walkLines(walk, ranges, start, start + ranges.step, options)
  const isDone = place === null || place >= ranges.end
  const isSound = (await (isResumed && !isDone ? ranges.isSound?.() : looking)) ?? true
  for (
    let ring: KeyRing | null | undefined;
    isSound && place !== null && place < ranges.end && ring !== walk.trust.ring;
  ) {
    ring = walk.trust.ring
    const signers = walk.trust.plainSigners()
    if (signers === null) break
    // The module is imported only if there is a second range: loading the worker modules takes longer than checking a
    // small ledger.
    const { openRangeCheckers } = await import('../range/checkers.js')
    const checkers = await openRangeCheckers(ranges, signers === 'unasked' ? null : signers, options.threads)
    try {
      const asked = health ?? checkers.health()
      place = await walkChecked(walk, ranges, place, checkers, options)
      health = await asked
    } finally {
      await checkers.close()
    }
  }
  // Reads again after the last range, because the range result does not determine the end of the ledger.
  if (place !== null) await walkLines(walk, ranges, place, null, options)
  ranges.finish(walk.entries, health)
}

/**
 * @returns the place where the checkers stopped: at the end, at a key change, or where ids no longer match positions;
 * null if reading cannot continue
 */
async function walkChecked(
  walk: Walk,
  ranges: LineRanges,
  start: Place,
  checkers: RangeCheckers,
  options: RangeWalkOptions,
): Promise<Place | null> {
  const { ring } = walk.trust
  const asked: { readonly to: Place; readonly facts: Promise<RangeSummary | null> }[] = []
  let place: Place | null = start
  for (let next = start; place !== null; ) {
    if (walk.trust.ring !== ring || !ranges.isAt(place, walk.entries + 1)) return place
    for (; asked.length < checkers.ahead && next < ranges.end; next += ranges.step)
      asked.push({ to: next + ranges.step, facts: checkers.check(next, next + ranges.step, walk.stops.isAnyOpen) })
    const range = asked.shift()
    if (range === undefined) return place
    const facts = await range.facts
    options.goOn()
    // A line longer than a range may extend past it.
    if (place >= range.to) continue
    if (facts !== null && facts.from === place && walk.chunk(facts)) {
      place = facts.to
      options.onProgress(walk.entries)
    } else place = await walkLines(walk, ranges, place, range.to, options)
  }
  return null
}

/** @returns the place of the next line; null if there is no next line, or if it cannot be read */
async function walkLines(
  walk: Walk,
  ranges: LineRanges,
  from: Place,
  to: Place | null,
  { onProgress, goOn }: RangeWalkOptions,
): Promise<Place | null> {
  const lines = ranges.lines(from, to, walk.entries + 1)
  for (;;) {
    const { done, value } = await lines.next()
    if (done) return value
    goOn()
    for (const line of value) walk.line(line)
    onProgress(walk.entries)
  }
}
