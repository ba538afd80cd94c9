// The standing of a ledger: the keys that may sign, and the stops that are open, as its entries have established them.
//
// `stepStanding` applies one entry. A writer keeps the result as part of its state and refuses a draft if the step has
// a problem; the verifier applies the same rules and reports the problem. To continue a ledger, a store does not read
// all its entries: it keeps the positions of the entries of keys in the head, and an index of the other control
// entries that took effect, reads these entries, and checks them like any other.
//
//   entry 1    genesis     ring: key A
//   entry 20   stop        stops: one          index: (20, stop)
//   entry 31   resume      stops: none         index: (31, resume, ends 20)

import { isRingBlock, type KeyRing, type RingEntry, stepRing } from '../rules/key-ring.js'
import type { Problem } from '../rules/line-facts.js'
import { NO_STOPS, type OpenStops, stepStops } from './stops.js'

/** The kinds of control entries that every later writer of the ledger must know. */
export const FENCED_KINDS = ['stop'] as const
export type FencedKind = (typeof FENCED_KINDS)[number]

export interface Standing {
  /** Null before the first entry. */
  readonly ring: KeyRing | null
  readonly stops: OpenStops
  /** The fenced kinds that the ledger has. */
  readonly needs: readonly FencedKind[]
  /** Number of rows of the control index. */
  readonly rows: number
}

/** The standing alone, of a state that has other members, too. */
export const standingOf = ({ ring, stops, needs, rows }: Standing): Standing => ({ ring, stops, needs, rows })

export const EMPTY_STANDING: Standing = { ring: null, stops: NO_STOPS, needs: [], rows: 0 }

/** A row of the control index: an entry that took effect, other than those of keys. */
export interface ControlRow {
  readonly position: number
  readonly kind: string
  /** For a `resume`: position of the stop that it ends. */
  readonly ends: number | null
}

/** The standing after an entry. If the entry has a problem, the standing is unchanged. */
export interface StandingStep {
  readonly standing: Standing
  readonly problem: Problem | null
  readonly row: ControlRow | null
}

/** Applies the next entry. The caller checks the signature. @param position - 1-based position of the entry */
export function stepStanding(standing: Standing, entry: RingEntry, position: number): StandingStep {
  const { ring, problem } = stepRing(standing.ring, entry, position)
  if (problem !== null)
    return { standing: { ...standing, ring }, problem: { code: 'CONTROL_INVALID', message: problem }, row: null }
  const { block } = entry
  const after = ring === standing.ring ? standing : { ...standing, ring }
  // A question has rules of its own (`questions.ts`), and no row in the index.
  if (block === null || isRingBlock(block) || block.kind === 'asked')
    return { standing: after, problem: null, row: null }
  const { stops, problem: wrong, ends } = stepStops(standing.stops, block, position)
  if (wrong !== null) return { standing: after, problem: wrong, row: null }
  const { kind } = block
  const needs = kind === 'stop' && !standing.needs.includes(kind) ? [...standing.needs, kind] : standing.needs
  return {
    standing: { ...after, stops, needs, rows: standing.rows + 1 },
    problem: null,
    row: { position, kind, ends },
  }
}
