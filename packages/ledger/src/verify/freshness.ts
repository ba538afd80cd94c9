// Determines how many entries the evidence of a grade covers, and how old the evidence is. The holder of the signing
// key can still rewrite later entries.
import { quorumReached, type WitnessPolicy } from '@sudoagent/crypto/note'
import type { ReportFinding } from '../entry/finding.js'
import { parseLine } from '../entry/line.js'
import { timestampMs } from '../entry/timestamp.js'
import { LedgerError } from '../error.js'
import type { LedgerReader } from '../port/reader.js'
import type { Walk } from './walk.js'

/** The largest checkpoint of the required grade. */
export interface Reach {
  /** Name of the checkpoint in messages. */
  readonly what: string
  /** Number of entries that the checkpoint covers; null if there is no such checkpoint. */
  readonly size: number | null
  /** Time of the cosignatures, as Unix time in seconds; null if only the writer's timestamps are known. */
  readonly time: number | null
}

/** Tolerance for timestamps in the future, in seconds, since clocks differ. */
const CLOCK_SKEW_SECONDS = 300

/**
 * The latest time such that the witnesses that cosigned the checkpoint at that time or later form a quorum.
 *
 * @param times - cosignature times as Unix time in seconds, by the name of the witness in the policy
 * @returns null if the quorum is not reached
 */
export function completedAt(policy: WitnessPolicy, times: ReadonlyMap<string, number>): number | null {
  const names = new Set<string>()
  for (const [name, time] of [...times].sort(([, a], [, b]) => b - a)) {
    names.add(name)
    if (quorumReached(policy, names)) return time
  }
  return null
}

/**
 * Compares the age of the covering checkpoint with a limit. Without a quorum of witnesses, the age is computed from
 * `recorded_at`, which the writer could have falsified.
 */
export async function checkAge(
  reader: LedgerReader,
  walk: Walk,
  { what, size, time }: Reach,
  maxAgeSeconds: number,
  clock: () => Date,
  find: ReportFinding,
): Promise<void> {
  const seconds = size === null ? null : (time ?? (await recordedSeconds(reader, walk, size)))
  if (seconds === null) {
    find(
      'CHECKPOINT_TOO_OLD',
      `the age of ${what} is unknown: it does not exist, or its last entry has no time`,
      AGE_HINT,
    )
    return
  }
  const age = Math.floor(clock().getTime() / 1000 - seconds)
  const whose = time === null ? ", by the writer's clock" : ''
  if (age > maxAgeSeconds) {
    find('CHECKPOINT_TOO_OLD', `${what} is ${age} seconds old${whose}; the limit is ${maxAgeSeconds}`, AGE_HINT)
  } else if (age < -CLOCK_SKEW_SECONDS) {
    find('CHECKPOINT_TOO_OLD', `${what} is ${-age} seconds in the future${whose}, so its age is unknown`, CLOCK_HINT)
  }
}

const AGE_HINT = 'make a new checkpoint, have it cosigned or keep it elsewhere, and use that one'
const CLOCK_HINT = 'compare the clocks of this machine, the writer and the witnesses'

/**
 * `recorded_at` of the entry at this position, in seconds; null if the entry differs from the one that the walk read.
 */
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
