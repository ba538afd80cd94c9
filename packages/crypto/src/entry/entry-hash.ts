/**
 * The hash of a ledger entry, computed over the stored line:
 *
 *     entry_hash = SHA-256(canonical entry with "entry_hash":null and without "entry_signature")
 *
 * The line is never re-encoded: SudoAgent for Python writes numbers that a double cannot represent
 * ("13.000000000000000000001"), and the hash covers bytes. It is meaningful only if the line is canonical.
 */
import { type Hash, sha256Hex } from '../bytes/hash.js'

/** The members of a line's object: each key with the span of its value's text, as returned by `scanJson`. */
export type Members = ReadonlyMap<string, readonly [start: number, end: number]>

/** Recomputes `entry_hash` from a canonical line. Returns null when the line has no `entry_hash` member. */
export function hashEntry(line: string, members: Members): Hash | null {
  const hash = members.get('entry_hash')
  if (hash === undefined) return null
  const signature = members.get('entry_signature')
  if (signature === undefined) return sha256Hex(`${line.slice(0, hash[0])}null${line.slice(hash[1])}`)
  // `entry_signature` sorts after `entry_hash`, so its key always follows a comma.
  const cut = signature[0] - ',"entry_signature":'.length
  return sha256Hex(`${line.slice(0, hash[0])}null${line.slice(hash[1], cut)}${line.slice(signature[1])}`)
}
