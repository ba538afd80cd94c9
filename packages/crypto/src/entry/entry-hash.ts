/**
 * The hash of a ledger entry, computed over the stored line:
 *
 *     entry_hash = SHA-256(canonical entry with "entry_hash":null and without "entry_signature")
 *
 * The line is never re-encoded, because the hash covers the stored bytes. Re-encoding could change them: SudoAgent
 * for Python writes numbers that a double cannot represent, such as 13.000000000000000000001. The hash is meaningful
 * only if the line is canonical.
 */
import { type Hash, sha256Hex } from '../bytes/hash.js'

/** The top-level members of a line: each key with the span of its value, as returned by `scanJson`. */
export type Members = ReadonlyMap<string, readonly [start: number, end: number]>

/** Recomputes `entry_hash` from a canonical line. Returns null if the line does not have an `entry_hash` member. */
export function hashEntry(line: string, members: Members): Hash | null {
  const hash = members.get('entry_hash')
  if (hash === undefined) return null
  const signature = members.get('entry_signature')
  if (signature === undefined) return sha256Hex(`${line.slice(0, hash[0])}null${line.slice(hash[1])}`)
  // `entry_signature` sorts after `entry_hash`, so a comma always precedes the `entry_signature` key.
  const cut = signature[0] - ',"entry_signature":'.length
  return sha256Hex(`${line.slice(0, hash[0])}null${line.slice(hash[1], cut)}${line.slice(signature[1])}`)
}
