/**
 * Whether the numbers of a question are written as they are read. A line of the Python profile may have a number that
 * `JSON.parse` rounds: the requirement that is shown would not be the one that is hashed.
 */
import type { Requirement } from '../entry/requirement.js'
import { encodeCanonical } from '../json/encode.js'
import { scanJson } from '../json/scan.js'

/** @param member - the member of the line that has the members `requirement` and `redacted` */
export function hasExactNumbers(
  line: string,
  member: 'checkpoint' | 'approval',
  { requirement, redacted }: { readonly requirement: Requirement | null; readonly redacted: number | null },
): boolean {
  const outer = memberOf(line, member) ?? 'null'
  return (
    memberOf(outer, 'requirement') === encodeCanonical(requirement) && memberOf(outer, 'redacted') === String(redacted)
  )
}

function memberOf(json: string, name: string): string | null {
  const span = scanJson(json).members.get(name)
  return span === undefined ? null : json.slice(...span)
}
