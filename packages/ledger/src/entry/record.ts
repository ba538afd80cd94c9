import type { Members } from '@sudoagent/crypto/entry'
import type { LedgerEntry } from './entry.js'
import { parseLine } from './line.js'
import type { StoredLine } from './stored-line.js'

/**
 * An entry and its position. `json` is the canonical line as stored; `members` has the offsets of the top-level
 * values in `json`.
 */
export interface EntryRecord {
  readonly position: number
  readonly entry: LedgerEntry
  readonly json: string
  readonly members: Members
}

/** Parses a stored line; null if the line is not an entry. */
export function recordOf({ position, bytes, fault }: StoredLine): EntryRecord | null {
  const parsed = fault === undefined ? parseLine(bytes) : null
  return parsed?.ok ? { position, entry: parsed.entry, json: parsed.text, members: parsed.members } : null
}
