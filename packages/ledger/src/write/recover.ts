// Entries that stand behind the head: a crash came between them and it, or SudoAgent for Python wrote them, or the ledger is older than heads.
// The next head will vouch for them, so a writer takes none of them over that a verifier would not accept.
import { createVerifier, decodeBase64, hashEntry } from '@sudoagent/crypto'
import { isCallEntry, type LedgerEntry } from '../entry/entry.js'
import type { ParsedLine } from '../entry/line.js'
import { parseLine } from '../entry/line.js'
import { LedgerError } from '../error.js'
import { type KeyRing, mayFollow, ringEntryOf, stepRing } from '../rules/key-ring.js'
import { grow } from '../tree/grow.js'
import type { LogState } from './advance.js'

/** An entry taken over: its line, parsed. */
export interface Recovered {
  readonly state: LogState
  readonly requestId: string | null
  readonly nodes: ReturnType<typeof grow>['nodes']
}

/**
 * Takes the next stored line over.
 *
 * @throws LedgerError LEDGER_DAMAGED when it is no entry, does not follow, or is not signed by a key that the ledger asks for
 */
export function recover(state: LogState, bytes: Uint8Array, path: string): Recovered {
  const position = state.head.size + 1
  const refuse = (why: string): never => {
    throw new LedgerError('LEDGER_DAMAGED', `\`${path}\`: entry ${position} ${why}`, {
      hint: 'run `sudoagent verify` on it',
    })
  }
  const parsed = parseLine(bytes)
  if (!parsed.ok) return refuse(`cannot be read: ${parsed.message}`)
  const { entry } = parsed
  if (!isLinked(parsed, state)) return refuse('does not follow the entry before it, or its hash does not match')
  const { ring, problem } = stepRing(state.ring, ringEntryOf(entry), position)
  if (problem !== null) return refuse(`does not hold: ${problem}`)
  if (!isVouchedFor(entry, state.ring, ring)) return refuse('is not signed by a key of the ledger')
  const { frontier, nodes } = grow(state.frontier, [{ entryHash: entry.entry_hash }])
  const head = { size: position, entryHash: entry.entry_hash, recordedAt: entry.recorded_at ?? state.head.recordedAt }
  return { state: { head, frontier, ring }, requestId: isCallEntry(entry) ? entry.request_id : null, nodes }
}

/**
 * The ring behind an entry that the head covers already, and that may change it. The head was signed by a key of the ring, so a ring must not be
 * made of entries that nobody looked at.
 *
 * @returns null when the entry does not hold
 */
export function ringBehind(ring: KeyRing | null, bytes: Uint8Array, position: number): KeyRing | null {
  const parsed = parseLine(bytes)
  if (!parsed.ok || hashEntry(parsed.text, parsed.members) !== parsed.entry.entry_hash) return null
  const step = stepRing(ring, ringEntryOf(parsed.entry), position)
  return step.problem === null && isVouchedFor(parsed.entry, ring, step.ring) ? step.ring : null
}

/** By the keys that were there before it: a key cannot let itself in. The genesis is the exception, and names its own. */
function isVouchedFor(entry: LedgerEntry, before: KeyRing | null, behind: KeyRing): boolean {
  const ring = before ?? behind
  return !ring.entriesSigned || isSigned(entry, ring)
}

function isLinked({ entry, text, members }: ParsedLine, { head }: LogState): boolean {
  return entry.prev_entry_hash === head.entryHash && hashEntry(text, members) === entry.entry_hash
}

function isSigned(entry: LedgerEntry, ring: KeyRing): boolean {
  const { key_id: keyId, entry_signature: signature } = entry
  const key = keyId === undefined ? undefined : ring.keys.get(keyId)
  if (keyId === undefined || key === undefined || signature === undefined || !mayFollow(ring, keyId)) return false
  const bytes = decodeBase64(signature)
  return bytes !== null && createVerifier(key.publicKey).verify(Buffer.from(entry.entry_hash, 'ascii'), bytes)
}
