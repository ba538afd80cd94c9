// Reads the checkpoints stored with the ledger: the head, and the last cosigned checkpoint. These checkpoints reveal
// changes by an attacker who can write to the ledger but does not have the signing key. They do not reveal that
// everything was replaced by an older copy; see `anchor.ts`.
import { CryptoError } from '@sudoagent/crypto'
import type { ReportFinding } from '../entry/finding.js'
import type { StoredText } from '../port/reader.js'
import { type CheckpointResult, checkCheckpoint, type WalkedLedger } from './check-checkpoint.js'
import { type PolicyKeys, readUnverifiedCheckpoint, type UnverifiedCheckpoint } from './unverified-checkpoint.js'

/** A stored checkpoint, or the reason why the checkpoint is unreadable; null if there is none. */
export type StoredCheckpoint = UnverifiedCheckpoint | { readonly problem: string } | null

export function readStoredCheckpoint(stored: StoredText): StoredCheckpoint {
  if (stored === null) return null
  if (stored === 'unreadable') return { problem: 'it is not text, or is too long for a checkpoint' }
  try {
    return readUnverifiedCheckpoint(stored.text)
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error
    return { problem: error.message }
  }
}

/** The checkpoint, if readable. */
export function statedOf(stored: StoredCheckpoint): UnverifiedCheckpoint | null {
  return stored === null || 'problem' in stored ? null : stored
}

/** @returns null if there is no readable head */
export function checkStoredHead(
  head: StoredCheckpoint,
  ledger: WalkedLedger,
  policyKeys: PolicyKeys,
  find: ReportFinding,
): CheckpointResult | null {
  if (head !== null) return checkStored(head, 'head', 'the head', ledger, policyKeys, find)
  if (ledger.trust.isRequired) find('CHECKPOINT_MISSING', 'the ledger is signed, but its head is missing', MISSING_HINT)
  return null
}

const MISSING_HINT =
  'copy `<ledger>.head` along with the ledger, or make a head with `sudoagent checkpoint`; if this is not a copy, the head was removed'

/** @returns null if there is no readable checkpoint */
export function checkCosigned(
  cosigned: StoredCheckpoint,
  ledger: WalkedLedger,
  policyKeys: PolicyKeys,
  find: ReportFinding,
): CheckpointResult | null {
  if (cosigned === null) return null
  return checkStored(cosigned, 'cosigned', 'the cosigned checkpoint', ledger, policyKeys, find)
}

function checkStored(
  stored: Exclude<StoredCheckpoint, null>,
  source: 'head' | 'cosigned',
  name: string,
  ledger: WalkedLedger,
  policyKeys: PolicyKeys,
  find: ReportFinding,
): CheckpointResult | null {
  if (!('problem' in stored)) return checkCheckpoint(stored, source, name, ledger, policyKeys, find)
  find(
    'CHECKPOINT_INVALID',
    `${name} cannot be read: ${stored.problem}`,
    'it was damaged or changed: restore the original',
  )
  return null
}
