// Checks the stored head before a writer appends, because the writer's next head will cover all earlier entries.

import { bytesToHex } from '@sudoagent/crypto/bytes'
import {
  type Checkpoint,
  createNoteKey,
  createNoteVerifier,
  encodeCheckpoint,
  openCheckpoint,
  parseCheckpoint,
} from '@sudoagent/crypto/note'
import type { Frontier } from '@sudoagent/crypto/tree'
import { frontierRoot } from '@sudoagent/crypto/tree'
import { LedgerError } from '../error.js'
import type { StoredText } from '../port/reader.js'
import { type KeyRing, mayVouch } from '../rules/key-ring.js'

/**
 * Parses a stored head, without verifying it.
 *
 * @returns null if there is no head
 * @throws LedgerError LEDGER_DAMAGED if the head is not a checkpoint
 */
export function readHead(stored: StoredText, path: string): (Checkpoint & { readonly text: string }) | null {
  if (stored === null) return null
  try {
    if (stored === 'unreadable') throw new TypeError('it is not text')
    const { text } = stored
    // In a signed note, the checkpoint is the text before the last blank line.
    const split = text.lastIndexOf('\n\n')
    return { ...parseCheckpoint(split === -1 ? text : text.slice(0, split + 1)), text }
  } catch {
    throw headRefused(path, 'cannot be read')
  }
}

/** Whether a stored head is exactly the unsigned checkpoint of this tree; such a head need not be parsed. */
export function isHeadOf(text: string | null, frontier: Frontier, ring: KeyRing): boolean {
  if (ring.entriesSigned) return false
  const { size } = frontier
  return text === encodeCheckpoint({ origin: ring.origin, size, root: frontierRoot(frontier), extensions: [] })
}

/**
 * Compares a head with its tree, and verifies its signature with the ledger's own keys.
 *
 * @param frontier - the state of the tree at the head's size
 * @throws LedgerError LEDGER_DAMAGED
 */
export function requireMatchingHead(
  head: Checkpoint & { readonly text: string },
  frontier: Frontier,
  ring: KeyRing,
  path: string,
): void {
  if (head.origin !== ring.origin) throw headRefused(path, 'belongs to a different ledger')
  if (bytesToHex(head.root) !== bytesToHex(frontierRoot(frontier)))
    throw headRefused(path, 'does not match the entries')
  if (!ring.entriesSigned) return
  const logs = [...ring.keys.values()]
    .filter((key) => mayVouch(key, head.size))
    .map(({ publicKey }) => createNoteVerifier(createNoteKey(ring.origin, publicKey)))
  try {
    openCheckpoint(head.text, logs)
  } catch {
    throw headRefused(path, 'is not signed by a key of the ledger')
  }
}

/**
 * @throws LedgerError LEDGER_DAMAGED for a signed ledger that has entries but no head: its last entries may
 * have been removed
 */
export function requireHead(ring: KeyRing | null, path: string): void {
  if (ring?.entriesSigned) throw headRefused(path, 'is missing')
}

export function headRefused(path: string, why: string): LedgerError {
  return new LedgerError('LEDGER_DAMAGED', `\`${path}\`: the head of the ledger ${why}`, {
    hint: 'verify the ledger, and compare it with a copy or a checkpoint kept elsewhere',
  })
}

/**
 * The error for a ledger with fewer entries than the head states: the ledger was truncated, or an older file was
 * restored.
 */
export function shorterThanHead(path: string, entries: number, size: number): LedgerError {
  return headRefused(path, `covers ${size} entries, but the ledger has ${entries}`)
}
