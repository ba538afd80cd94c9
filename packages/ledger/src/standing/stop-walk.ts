// Follows the stops of a ledger during a walk, and compares each allowed call with those that are open.

import type { Resume, Stop } from '@sudoagent/crypto/entry'
import { type Authority, authorityMisfit } from '@sudoagent/crypto/entry'
import type { InvalidControl } from '../entry/control.js'
import { type AllowedCall, allowedKey } from '../rules/allowed-call.js'
import type { Problem } from '../rules/line-facts.js'
import { allowedWhileStopped, coveringStop, NO_STOPS, type OpenStop, type OpenStops, stepStops } from './stops.js'

/** An open stop, and the calls that it did not reach. */
export interface WalkedStop extends OpenStop {
  /** Number of calls before the stop that are allowed and have no outcome before it: they may still run. */
  readonly inFlight: number
}

/** The stops after an earlier run. */
export interface KnownStops {
  readonly stops: readonly WalkedStop[]
  /** Number of resumes that ended a stop. */
  readonly resumes: number
}

/** Maximum number of different calls whose result is kept. */
const KEPT_MAX = 10_000

export class StopWalk {
  #stops: OpenStops
  readonly #inFlight: Map<string, number>
  #resumes: number
  /** The covering stop by `allowedKey`. Emptied when a stop opens or ends. */
  readonly #kept = new Map<string, OpenStop | undefined>()

  constructor(known: KnownStops | null) {
    const stops = known?.stops ?? []
    this.#stops = stops.length === 0 ? NO_STOPS : new Map(stops.map((stop) => [stop.stopId, stop]))
    this.#inFlight = new Map(stops.map(({ stopId, inFlight }) => [stopId, inFlight]))
    this.#resumes = known?.resumes ?? 0
  }

  get isAnyOpen(): boolean {
    return this.#stops.size > 0
  }

  get resumes(): number {
    return this.#resumes
  }

  /** The open stops, in the order of their entries. */
  get open(): readonly WalkedStop[] {
    return [...this.#stops.values()].map(({ stopId, position, scope }) => {
      return { stopId, position, scope, inFlight: this.#inFlight.get(stopId) ?? 0 }
    })
  }

  /**
   * Applies a control entry.
   *
   * @param openCalls - number of calls without an outcome before the entry
   * @returns the rule that the entry breaks, which then has no effect; null if there is none
   */
  control(block: Stop | Resume | InvalidControl, position: number, openCalls: number): Problem | null {
    const { stops, problem, ends } = stepStops(this.#stops, block, position)
    if (problem !== null) return problem
    this.#stops = stops
    this.#kept.clear()
    if (block.kind === 'stop') this.#inFlight.set(block.stop_id, openCalls)
    if (ends !== null && block.kind === 'resume') {
      this.#resumes += 1
      this.#inFlight.delete(block.stop_id)
    }
    return null
  }

  /** The rule that an allowed call breaks; null if no open stop covers it. */
  problemOf(call: AllowedCall): Problem | null {
    if (this.#stops.size === 0) return null
    const key = allowedKey(call)
    if (!this.#kept.has(key)) {
      if (this.#kept.size >= KEPT_MAX) this.#kept.clear()
      this.#kept.set(key, coveringStop(this.#stops, { ...call, authority: readAuthority(call.authority) }))
    }
    const stop = this.#kept.get(key)
    return stop === undefined ? null : allowedWhileStopped(stop)
  }
}

/** An authority that is not valid has a finding of its own, and matches no scope. */
function readAuthority(text: string | null): Authority | null {
  if (text === null) return null
  const value: unknown = JSON.parse(text)
  return authorityMisfit(value) === null ? (value as Authority) : null
}
