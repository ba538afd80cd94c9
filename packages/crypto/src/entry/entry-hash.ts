/**
 * The hash of a ledger entry, taken over the line as it stands:
 *
 *     entry_hash = SHA-256(canonical entry with "entry_hash":null and without "entry_signature")
 *
 * Never over a re-encoding: SudoAgent for Python writes numbers that do not fit a double ("13.000000000000000000001"), and
 * what is bound is the bytes. The line must therefore be canonical before its hash means anything.
 */
import { type Hash, sha256Hex } from '../bytes/hash.js'

/** Where the members of a line's object stand: key → span of the value's text, as `scanJson` gives it. */
export type Members = ReadonlyMap<string, readonly [start: number, end: number]>

/** Recomputes `entry_hash` from a canonical line. Null when the line has no `entry_hash` member. */
export function hashEntry(line: string, members: Members): Hash | null {
  const hash = members.get('entry_hash')
  if (hash === undefined) return null
  const signature = members.get('entry_signature')
  if (signature === undefined) return sha256Hex(`${line.slice(0, hash[0])}null${line.slice(hash[1])}`)
  // `entry_signature` sorts after `entry_hash`, so a comma always stands before its key.
  const cut = signature[0] - ',"entry_signature":'.length
  return sha256Hex(`${line.slice(0, hash[0])}null${line.slice(hash[1], cut)}${line.slice(signature[1])}`)
}
