// Reads durations in policy files: an integer and a unit, for example `30m` or `2d`.

import { shown } from './fields.js'
import type { LocatedValue, Source } from './located.js'

const UNIT_MS: ReadonlyMap<string, number> = new Map([
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
])

/**
 * Reads a duration of at least a second.
 *
 * @param maxDays - the maximum, in days
 * @returns the duration in milliseconds
 * @throws PolicyFileError
 */
export function readDuration(value: LocatedValue, name: string, maxDays: number, source: Source): number {
  const hint = 'write an integer and a unit (`s`, `m`, `h` or `d`), for example `30m` or `2d`'
  if (value.kind !== 'scalar' || typeof value.value !== 'string')
    throw source.error('POLICY_TYPE', value.at, `\`${name}\` must be a duration`, hint)
  const [, count, unit = ''] = /^(\d+)([smhd])$/.exec(value.value) ?? []
  const ms = Number(count) * (UNIT_MS.get(unit) ?? Number.NaN)
  if (ms >= 1_000 && ms <= maxDays * 86_400_000) return ms
  const says = `\`${name}\` is \`${shown(value.value)}\`, not a duration from 1s to ${maxDays}d`
  throw source.error('POLICY_VALUE', value.at, says, hint)
}
