// The walk over a ledger, range by range: what holds by itself is taken as a whole, and everything else line by line, with the same outcome.

import type { LineRanges, Place } from '../port/reader.js'
import type { RangeSummary } from '../range/checker.js'
import type { RangeCheckers } from '../range/checkers.js'
import type { KeyRing } from '../rules/key-ring.js'
import type { Walk } from './walk.js'

export interface RangeWalkOptions {
  /** How many threads may work at a time. */
  readonly threads?: number | undefined
  /** Called after each range, with the number of entries so far. */
  readonly onProgress: (entries: number) => void
  /** Throws to end the walk. */
  readonly goOn: () => void
}

/**
 * Walks from where the walk stands to the end of the ledger. The first range is taken line by line: it has the genesis, and small ledgers have
 * no other.
 */
export async function walkRanges(walk: Walk, ranges: LineRanges, options: RangeWalkOptions): Promise<void> {
  // A run that goes on from an earlier one looks at what is new, and the store's own health is not.
  let health: string | undefined = walk.entries > 0 ? 'ok' : undefined
  const start = await ranges.placeBehind(walk.entries)
  // The store is looked at beside the first range; nothing that reads many rows at a time is asked before.
  const looking = ranges.isSound?.()
  // Where reading ends before it is waited for.
  looking?.catch(() => {})
  let place = await walkLines(walk, ranges, start, start + ranges.step, options)
  const isSound = (await looking) ?? true
  for (
    let ring: KeyRing | null | undefined;
    isSound && place !== null && place < ranges.end && ring !== walk.trust.ring;
  ) {
    ring = walk.trust.ring
    const signers = walk.trust.plainSigners()
    if (signers === null) break
    // Loaded for a second range: what starts threads takes longer to load than the lines of a small ledger to check.
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
  // Behind the last range, too: where a ledger ends is not for its ranges to say.
  if (place !== null) await walkLines(walk, ranges, place, null, options)
  ranges.finish(walk.entries, health)
}

/** @returns where the checkers could not go on: at the end, or because the keys changed or ids are no positions any more; null where nothing can be read */
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
      asked.push({ to: next + ranges.step, facts: checkers.check(next, next + ranges.step) })
    const range = asked.shift()
    if (range === undefined) return place
    const facts = await range.facts
    options.goOn()
    // A line that is longer than a range has led beyond it.
    if (place >= range.to) continue
    if (facts !== null && facts.from === place && walk.chunk(facts)) {
      place = facts.to
      options.onProgress(walk.entries)
    } else place = await walkLines(walk, ranges, place, range.to, options)
  }
  return null
}

/** @returns where the next line begins; null when there is none, or none that can be read */
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
