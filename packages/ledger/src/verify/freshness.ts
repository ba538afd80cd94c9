// How far the evidence of a grade reaches into a ledger, and how old it is. Whoever holds the key can rewrite what follows it.
import { quorumReached, type WitnessPolicy } from '@sudoagent/crypto'
import type { ReportFinding } from '../entry/finding.js'
import { parseLine } from '../entry/line.js'
import { timestampMs } from '../entry/timestamp.js'
import { LedgerError } from '../error.js'
import type { LedgerReader } from '../port/reader.js'
import type { Walk } from './walk.js'

/** The largest checkpoint of the grade that is asked for. */
export interface Reach {
  /** What it is called in a sentence. */
  readonly what: string
  /** Entries that it covers; null when there is none. */
  readonly size: number | null
  /** When witnesses saw it, in seconds since 1970; null where only the writer's own times tell. */
  readonly time: number | null
}

/** Clocks differ: a time of this much later than now, in seconds, is not yet called wrong. */
const CLOCK_SKEW_SECONDS = 300

/**
 * The newest time that completes the quorum: since then, enough witnesses have seen the checkpoint.
 *
 * @param times - of the cosignatures, by the name of the witness in the policy; in seconds since 1970
 * @returns null when they do not reach the quorum
 */
export function completedAt(policy: WitnessPolicy, times: ReadonlyMap<string, number>): number | null {
  const names = new Set<string>()
  for (const [name, time] of [...times].sort(([, a], [, b]) => b - a)) {
    names.add(name)
    if (quorumReached(policy, names)) return time
  }
  return null
}

/** Compares the age of that checkpoint with a limit. What is not witnessed is as old as the writer says. */
export async function judgeAge(
  reader: LedgerReader,
  walk: Walk,
  { what, size, time }: Reach,
  maxAgeSeconds: number,
  clock: () => Date,
  find: ReportFinding,
): Promise<void> {
  const seconds = size === null ? null : (time ?? (await recordedSeconds(reader, walk, size)))
  if (seconds === null) {
    find('CHECKPOINT_TOO_OLD', `the age of ${what} is unknown: there is none, or its last entry has no time`, AGE_HINT)
    return
  }
  const age = Math.floor(clock().getTime() / 1000 - seconds)
  const whose = time === null ? ', by the clock of the writer' : ''
  if (age > maxAgeSeconds) {
    find('CHECKPOINT_TOO_OLD', `${what} is ${age} seconds old${whose}, and ${maxAgeSeconds} are allowed`, AGE_HINT)
  } else if (age < -CLOCK_SKEW_SECONDS) {
    find('CHECKPOINT_TOO_OLD', `${what} is ${-age} seconds in the future${whose}, so its age is unknown`, CLOCK_HINT)
  }
}

const AGE_HINT = 'make a new checkpoint, have it cosigned or keep it elsewhere, and give that one'
const CLOCK_HINT = 'compare the clocks of this machine, the writer and the witnesses'

/** `recorded_at` of the entry at this position, when it is the entry that the walk found there. */
async function recordedSeconds(reader: LedgerReader, walk: Walk, position: number): Promise<number | null> {
  try {
    const line = await reader.lineAt(position)
    const parsed = line === null || line.fault !== undefined ? null : parseLine(line.bytes)
    if (parsed === null || !parsed.ok) return null
    const { entry_hash: hash, recorded_at: recordedAt } = parsed.entry
    const isWalked = hash === (position === walk.entries ? walk.entryHash : walk.at(position)?.entryHash)
    return isWalked && recordedAt !== undefined ? timestampMs(recordedAt) / 1000 : null
  } catch (error) {
    if (error instanceof LedgerError && error.code === 'LEDGER_DAMAGED') return null
    throw error
  }
}
