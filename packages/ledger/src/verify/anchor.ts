// Reads anchors, and compares them with the ledger. An anchor is a checkpoint, a receipt or a state that the caller
// kept outside the ledger. Only an anchor can show that the whole ledger was replaced by an older copy, or was
// rewritten by the holder of the signing key: an attacker can replace everything in the ledger, including the head.

import { CryptoError } from '@sudoagent/crypto'
import { bytesToHex, hexToBytes } from '@sudoagent/crypto/bytes'
import { hashEntry } from '@sudoagent/crypto/entry'
import { scanJson } from '@sudoagent/crypto/json'
import { parseTlogProof } from '@sudoagent/crypto/note'
import { parseReceipt, type UnverifiedReceiptEntry } from '@sudoagent/crypto/receipt'
import { frontierRoot, leafHash, verifyInclusion } from '@sudoagent/crypto/tree'
import type { ReportFinding } from '../entry/finding.js'
import { ANCHORS_MAX } from '../limits.js'
import { type CheckpointResult, checkCheckpoint, type WalkedLedger } from './check-checkpoint.js'
import type { AnchorReport } from './report.js'
import type { VerifiedState } from './saved-state.js'
import { type PolicyKeys, readUnverifiedCheckpoint, type UnverifiedCheckpoint } from './unverified-checkpoint.js'

/** A readable anchor: a position in the ledger, and the hash expected at that position. */
export interface Anchor {
  readonly kind: 'checkpoint' | 'receipt'
  /** Name of the anchor in messages. */
  readonly name: string
  /** The checkpoint; null for a receipt without a proof. */
  readonly checkpoint: UnverifiedCheckpoint | null
  /** The entry of a receipt; null for a checkpoint. */
  readonly entry: { readonly position: number; readonly hash: string } | null
}

/** An unreadable anchor, and the reason. */
export interface UnreadableAnchor {
  readonly problem: string
}

/** The result of comparing an anchor with the ledger. */
export interface AnchorResult {
  readonly report: AnchorReport
  readonly checkpoint: CheckpointResult | null
}

/**
 * Reads checkpoints and receipts. An unreadable item becomes an `UnreadableAnchor` with the reason.
 *
 * @throws RangeError for more than 1,000 checkpoints or more than 1,000 receipts
 */
export function readAnchors(
  checkpoints: readonly string[],
  receipts: readonly string[],
): readonly (Anchor | UnreadableAnchor)[] {
  if (checkpoints.length > ANCHORS_MAX || receipts.length > ANCHORS_MAX) {
    throw new RangeError(`more than ${ANCHORS_MAX} checkpoints or receipts`)
  }
  return [
    ...checkpoints.flatMap((text, n) => attempt(() => [readCheckpointAnchor(text, n + 1)], `checkpoint ${n + 1}`)),
    ...receipts.flatMap((text, n) => attempt(() => readReceiptAnchors(text), `receipt ${n + 1}`)),
  ]
}

export function checkAnchor(
  anchor: Anchor,
  ledger: WalkedLedger,
  policyKeys: PolicyKeys,
  find: ReportFinding,
): AnchorResult {
  const { kind, name, checkpoint: stated, entry } = anchor
  const checkpoint = stated && checkCheckpoint(stated, kind, `the checkpoint of ${name}`, ledger, policyKeys, find)
  const hasEntry = entry === null || checkAnchorEntry(entry, name, checkpoint, ledger, find)
  const report: AnchorReport = {
    kind,
    size: stated?.size ?? entry?.position ?? 0,
    position: entry?.position ?? null,
    signed_by: checkpoint?.signedBy ?? [],
    holds: hasEntry && (checkpoint?.holds ?? true),
  }
  return { report, checkpoint }
}

/** Compares the state of an earlier run with the ledger, if the walk did not resume from it. */
export function checkStateAnchor(state: VerifiedState, ledger: WalkedLedger, find: ReportFinding): AnchorReport {
  const { size } = state
  const point = ledger.at(size)
  const isOther = ledger.trust.ring !== null && ledger.trust.ring.origin !== state.ring.origin
  const root = point?.root ?? null
  const holds = root !== null && bytesToHex(root) === bytesToHex(frontierRoot(state.frontier)) && !isOther
  if (size > ledger.entries) {
    find(
      'TRUNCATED',
      `an earlier run verified ${size} entries, but the ledger has only ${ledger.entries}: it was truncated, or an older copy was restored`,
      'look for the missing entries in a backup, and find out who could write to the ledger',
    )
  } else if (!holds && root !== null) {
    find(
      'INCONSISTENT',
      `the first ${size} entries differ from those that an earlier run verified: the ledger was rolled back or forked`,
      'keep this copy; delete the state file only if you replaced the ledger yourself',
    )
  }
  return { kind: 'state', size, position: null, signed_by: [], holds }
}

function checkAnchorEntry(
  { position, hash }: { readonly position: number; readonly hash: string },
  name: string,
  checkpoint: CheckpointResult | null,
  ledger: WalkedLedger,
  find: ReportFinding,
): boolean {
  const point = ledger.at(position)
  if (point?.entryHash === hash) return true
  if (point !== undefined && point.entryHash !== null) {
    find(
      'INCONSISTENT',
      `entry ${position} does not match ${name}: the entry was rewritten`,
      'keep the receipt and this copy',
    )
    return false
  }
  if (checkpoint === null && position > ledger.entries) {
    find(
      'TRUNCATED',
      `${name} is for entry ${position}, but the ledger ends at entry ${ledger.entries}`,
      'look for the missing entries',
    )
  }
  // The walk resumed after this entry, so the hash is unknown. The inclusion proof in the receipt links the entry to
  // the root instead.
  return checkpoint?.holds === true
}

function readCheckpointAnchor(text: string, number: number): Anchor {
  const checkpoint = readUnverifiedCheckpoint(text)
  return { kind: 'checkpoint', name: `checkpoint ${number}`, checkpoint, entry: null }
}

function readReceiptAnchors(text: string): readonly Anchor[] {
  const receipt = parseReceipt(text)
  const { outcome } = receipt
  return [
    readReceiptAnchor(receipt, `the receipt of entry ${receipt.ledger_position}`),
    ...(outcome === null
      ? []
      : [readReceiptAnchor(outcome, `the receipt of entry ${receipt.ledger_position}, for its outcome`)]),
  ]
}

/** @throws CryptoError if the receipt contradicts itself */
function readReceiptAnchor(stated: UnverifiedReceiptEntry, name: string): Anchor {
  const { ledger_position: position, entry_hash: hash, line, proof } = stated
  if (line !== null && hashEntry(line, scanJson(line).members) !== hash)
    throw contradiction('its entry has a different hash')
  const entry = { position, hash }
  if (proof === null) return { kind: 'receipt', name, checkpoint: null, entry }
  const { index, hashes, checkpoint: text } = parseTlogProof(proof)
  const checkpoint = readUnverifiedCheckpoint(text)
  const leaf = leafHash(hexToBytes(hash))
  const leads = index === position - 1 && verifyInclusion(leaf, index, checkpoint.size, hashes, checkpoint.root)
  if (!leads) throw contradiction('its inclusion proof is invalid')
  return { kind: 'receipt', name, checkpoint, entry }
}

const contradiction = (why: string): CryptoError => new CryptoError('RECEIPT_INVALID', why)

function attempt(read: () => readonly Anchor[], name: string): readonly (Anchor | UnreadableAnchor)[] {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error
    return [{ problem: `${name} cannot be used: ${error.message}` }]
  }
}
