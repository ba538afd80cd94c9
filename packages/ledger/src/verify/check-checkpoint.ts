// Compares a checkpoint with the ledger after the walk: origin, number of entries, root and signatures.
import { bytesToHex } from '@sudoagent/crypto/bytes'
import type { ReportFinding } from '../entry/finding.js'
import type { TreePoint } from '../tree/walk.js'
import type { Trust } from './trust.js'
import {
  type CheckpointSigners,
  type PolicyKeys,
  signersOf,
  type UnverifiedCheckpoint,
} from './unverified-checkpoint.js'

/** The ledger after a walk. */
export interface WalkedLedger {
  readonly entries: number
  readonly trust: Trust
  /** The ledger at a size; undefined if the size was not requested or exceeds the ledger. */
  at(size: number): TreePoint | undefined
}

/**
 * The source of a checkpoint. `head` and `cosigned` are stored with the ledger; the caller kept the others elsewhere.
 */
export type CheckpointSource = 'head' | 'cosigned' | 'checkpoint' | 'receipt'

export interface CheckpointResult {
  readonly size: number
  /** Whether the ledger has the same root at this size. */
  readonly holds: boolean
  /**
   * Ids of known keys that signed the checkpoint: given keys, keys of the ledger, and log keys of the witness
   * policy.
   */
  readonly signedBy: readonly string[]
  /** Whether one of these keys may sign the checkpoint. If not, the checkpoint is not authenticated. */
  readonly isVouchedFor: boolean
  /**
   * The witnesses that cosigned the checkpoint, by their names in the policy, and the cosignature times by the
   * witnesses' own clocks, as Unix time in seconds.
   */
  readonly witnesses: ReadonlyMap<string, number>
}

/** @param name - name of the checkpoint in messages */
export function checkCheckpoint(
  stated: UnverifiedCheckpoint,
  source: CheckpointSource,
  name: string,
  ledger: WalkedLedger,
  cosigners: PolicyKeys,
  find: ReportFinding,
): CheckpointResult {
  const { size } = stated
  const refused: CheckpointResult = { size, holds: false, signedBy: [], isVouchedFor: false, witnesses: new Map() }
  if (!isOfLedger(stated, source, name, ledger, find)) return refused
  const signers = signersOf(stated, [...ledger.trust.keys, ...cosigners.logKeys], cosigners.witnesses)
  if (signers === null) {
    find('CHECKPOINT_INVALID', `a signature on ${name} is invalid`, 'the checkpoint was changed after it was signed')
    return refused
  }
  const judged = { ...refused, signedBy: signers.keyIds, witnesses: signers.witnesses }
  if (size > ledger.entries) {
    find('TRUNCATED', `${name} covers ${size} entries, but the ledger has only ${ledger.entries}: ${CUT}`, CUT_HINT)
    // The entry that added the signer's key may be one of the missing entries.
    return judged
  }
  const isVouchedFor = checkSigners(stated, signers, source, name, ledger.trust, find)
  return { ...judged, isVouchedFor, holds: checkRoot(stated, source, name, ledger, find) }
}

const CUT = 'it was truncated, or an older copy was restored'
const CUT_HINT = 'look for the missing entries in a backup, and find out who could write to the ledger'
const KEEP_HINT = 'keep the checkpoint and both copies of the ledger: together they prove that it was rewritten'

function isOfLedger(
  { origin }: UnverifiedCheckpoint,
  source: CheckpointSource,
  name: string,
  { trust }: WalkedLedger,
  find: ReportFinding,
): boolean {
  const own = trust.ring?.origin ?? origin
  if (origin === own) return true
  const message = `${name} is for log \`${origin}\`, the ledger is \`${own}\``
  if (source === 'head') find('CHECKPOINT_INVALID', message, 'is this the head of another ledger?')
  else if (source === 'cosigned') find('CHECKPOINT_INVALID', message, 'is this the checkpoint of another ledger?')
  else find('INCONSISTENT', message, 'is it the checkpoint of another ledger, or was the ledger replaced?')
  return false
}

function checkRoot(
  { size, root }: UnverifiedCheckpoint,
  source: CheckpointSource,
  name: string,
  ledger: WalkedLedger,
  find: ReportFinding,
): boolean {
  const point = ledger.at(size)
  // The root is unknown after an unreadable entry, for which there is already a finding.
  if (point === undefined || point.root === null) return false
  if (bytesToHex(point.root) === bytesToHex(root)) return true
  const message = `the first ${size} entries do not match ${name}`
  if (source === 'head') find('ROOT_MISMATCH', message, 'the entries or the head were changed')
  else find('INCONSISTENT', `${message}: they were rewritten`, KEEP_HINT)
  return false
}

function checkSigners(
  stated: UnverifiedCheckpoint,
  { keyIds }: CheckpointSigners,
  source: CheckpointSource,
  name: string,
  trust: Trust,
  find: ReportFinding,
): boolean {
  const verdicts = keyIds.map((id) => trust.vouches(id, stated.size))
  if (verdicts.includes('yes')) return true
  const isKept = source === 'checkpoint' || source === 'receipt'
  const isAsked = trust.given.length > 0 ? isKept || stated.isSigned || trust.isRequired : trust.isRequired && !isKept
  if (!isAsked) return false
  if (!stated.isSigned) find('SIGNATURE_MISSING', `${name} is not signed`)
  else if (verdicts.includes('retired')) {
    find('KEY_RETIRED', `${name} is signed by a key that was retired before entry ${stated.size}`)
  } else {
    const whose = trust.given.length > 0 ? 'that was given or that a given key added' : 'of the ledger'
    find('KEY_UNKNOWN', `${name} is not signed by a key ${whose}`)
  }
  return false
}
