// The open stops of a ledger, entry by entry.
//
//   position 20  stop    {"agent":"billing-*"}    open from here on: no allow of these agents can follow
//   position 31  resume  of that stop             open no longer
//
// The functions are pure. Writers use them before an append, and the verifier on every entry, so a writer refuses
// exactly what a verifier would report.

import type { Resume, Stop, StopScope } from '@sudoagent/crypto/entry'
import { covers, isSameScope, type ScopedCall } from '../authority/stop-scope.js'
import type { InvalidControl } from '../entry/control.js'
import { STOPS_MAX } from '../limits.js'
import type { Problem } from '../rules/line-facts.js'

/** A stop that no entry has ended yet. */
export interface OpenStop {
  readonly stopId: string
  /** Position of the `stop` entry. */
  readonly position: number
  readonly scope: StopScope
}

/** The open stops by id, in the order of their entries. Immutable. */
export type OpenStops = ReadonlyMap<string, OpenStop>

export const NO_STOPS: OpenStops = new Map()

/** The stops after an entry. If the entry has a problem, they are unchanged. */
export interface StopsStep {
  readonly stops: OpenStops
  readonly problem: Problem | null
  /** For a `resume` that took effect: the position of the stop that it ends. */
  readonly ends: number | null
}

/** Applies a `stop` or a `resume`. @param position - 1-based position of the entry */
export function stepStops(stops: OpenStops, block: Stop | Resume | InvalidControl, position: number): StopsStep {
  const refuse = (code: Problem['code'], message: string): StopsStep => ({
    stops,
    problem: { code, message },
    ends: null,
  })
  switch (block.kind) {
    case 'invalid':
      return block.of === 'stop'
        ? refuse('STOP_INVALID', 'the stop does not have the form of a stop, so it covers nothing')
        : refuse('CONTROL_INVALID', 'invalid control entry: its content does not match its kind')
    case 'stop': {
      const { stop_id: stopId, scope } = block
      if (stops.has(stopId)) return refuse('STOP_INVALID', 'the id of the stop belongs to a stop that is open')
      if (!hasRoom(stops, scope))
        return refuse('STOP_INVALID', `${STOPS_MAX} other stops are open, so it covers nothing`)
      return { stops: new Map(stops).set(stopId, { stopId, position, scope }), problem: null, ends: null }
    }
    case 'resume': {
      const ended = stops.get(block.stop_id)
      if (ended === undefined) return refuse('CONTROL_INVALID', 'invalid control entry: it ends no open stop')
      const rest = new Map(stops)
      rest.delete(block.stop_id)
      return { stops: rest, problem: null, ends: ended.position }
    }
  }
}

/** Whether one more stop may be open. Stops of everything have a limit of their own, so one of them always fits. */
export function hasRoom(stops: OpenStops, { all }: StopScope): boolean {
  let open = 0
  for (const { scope } of stops.values()) if ((scope.all === true) === (all === true)) open += 1
  return open < STOPS_MAX
}

/** The open stop with the same scope; undefined if there is none. */
export function sameStop(stops: OpenStops, scope: StopScope): OpenStop | undefined {
  return [...stops.values()].find((stop) => isSameScope(stop.scope, scope))
}

/** The first open stop that covers a call; undefined if none does. */
export function coveringStop(stops: OpenStops, call: ScopedCall): OpenStop | undefined {
  if (stops.size === 0) return undefined
  for (const stop of stops.values()) if (covers(stop.scope, call)) return stop
  return undefined
}

/** The finding for an allow that an open stop covers. */
export function allowedWhileStopped({ position, stopId }: OpenStop): Problem {
  return {
    code: 'ALLOWED_WHILE_STOPPED',
    message: `allowed, although the stop \`${stopId}\` of entry ${position} covers it`,
  }
}
