import type { Members } from '@sudoagent/crypto'
import type { LedgerEntry } from './entry.js'
import { parseLine } from './line.js'
import type { StoredLine } from './stored-line.js'

/** An entry and where it stands. `json` is the canonical line as stored, `members` where its top-level values stand in that. */
export interface EntryRecord {
  readonly position: number
  readonly entry: LedgerEntry
  readonly json: string
  readonly members: Members
}

/** What a stored line says; null when it cannot be read. */
export function recordOf({ position, bytes, fault }: StoredLine): EntryRecord | null {
  const parsed = fault === undefined ? parseLine(bytes) : null
  return parsed?.ok ? { position, entry: parsed.entry, json: parsed.text, members: parsed.members } : null
}
