/**
 * Verifies a receipt. A statement in a receipt is evidence only if a chain of checks connects it to a signature by
 * a key that the caller trusts:
 *
 *     key → checkpoint → tree root → leaf at the position → entry_hash → entry content → decision_hash
 *
 * An invalid receipt gives a report, never an exception. `findings` lists the reasons. Decision, outcome and
 * checkpoint are returned only if they were verified.
 */

import { encodeBase64 } from '../bytes/base64.js'
import { bytesEqual, isBytes } from '../bytes/bytes.js'
import type { Hash } from '../bytes/hash.js'
import { isApprovalLate } from '../entry/approval-deadline.js'
import type { KeyId } from '../key/key.js'
import {
  type ReceiptContent,
  type ReceiptDecision,
  type ReceiptOutcomeContent,
  readDecision,
  readOutcome,
} from './content.js'
import { type CheckedEntry, checkReceiptEntry, type EntrySignature } from './entry-check.js'
import { type ReceiptFinding, ReceiptFindings } from './finding.js'
import { type CheckedTrust, checkTrust, type ProvenEntry, type ReceiptCosigner, type ReceiptTrust } from './proof.js'
import { parseReceipt, type UnverifiedReceipt } from './receipt.js'

/** The verified checkpoint of a proof. */
export interface ReceiptCheckpoint {
  /** The name of the log. */
  readonly origin: string
  /** The number of entries in the log when the checkpoint was signed. */
  readonly size: number
  /** The base64 encoding of 32 bytes. */
  readonly root: string
  /** The ids of the given keys that signed the checkpoint. */
  readonly signed_by: readonly KeyId[]
  /** The witnesses in the policy that cosigned the checkpoint. */
  readonly cosigned_by: readonly ReceiptCosigner[]
}

/** A verified outcome from the same log. */
export interface ReceiptOutcome {
  readonly position: number
  readonly entry_hash: Hash
  readonly entry_signature: EntrySignature
  readonly checkpoint: ReceiptCheckpoint
  readonly content: ReceiptOutcomeContent
}

/** The result of a verification. */
export interface ReceiptReport {
  readonly ok: boolean
  /**
   * `broken`: the receipt is invalid. `unverified`: a signature by a given key is missing, and there are no other
   * findings; `checkpoint` is the only part that may be verified. `signed`: verified up to a signature by a given
   * key. `witnessed`: signed, and also cosigned by the witnesses that the policy requires.
   */
  readonly verdict: 'broken' | 'unverified' | 'signed' | 'witnessed'
  /** Empty if and only if `ok` is true. */
  readonly findings: readonly ReceiptFinding[]
  /** The position stated in the receipt, proven only if `ok` is true. Null if the receipt cannot be parsed. */
  readonly position: number | null
  readonly entry_hash: Hash | null
  readonly entry_signature: EntrySignature
  /** Null if `ok` is false or the entry content was omitted. */
  readonly decision: ReceiptDecision | null
  /**
   * Null if `ok` is false, if the receipt does not contain an outcome, or if the content of the outcome was omitted
   * (see `unproven`).
   */
  readonly outcome: ReceiptOutcome | null
  /**
   * The names of the receipt members whose values are unproven because the entry content was omitted. The report
   * does not contain these values. Empty if `ok` is false, because then nothing is proven.
   */
  readonly unproven: readonly string[]
  /**
   * Null if none of the given keys signed the checkpoint, or if the checkpoint's tree does not contain the entry.
   * Other findings do not affect this value.
   */
  readonly checkpoint: ReceiptCheckpoint | null
}

/**
 * Verifies a receipt offline: the checkpoint signatures, the proofs, the entry hashes, the decision hash, the
 * consistency of all fields, and the quorum of the policy. Also checks that the outcome belongs to the decision and
 * follows it in the same log. `receiptProves` explains a report in sentences.
 *
 * @param text - the receipt as UTF-8 bytes or as a decoded string
 * @param trust - the trusted keys. Obtain these keys from a trusted source, not from the sender of the receipt.
 * @returns a report. The content of a receipt never causes an exception.
 * @throws TypeError if `text` is neither a string nor a Uint8Array, for an unknown option, or if `publicKeys` is
 *   not an array of keys; RangeError for more than 64 keys; CryptoError `KEY_WRONG_TYPE` for a witness key in
 *   `publicKeys`; `POLICY_INVALID` if a witness in the policy has a log key; the errors of `createVerifier`
 * @example
 * const { ok, decision } = verifyReceipt(await readFile('receipt.json'), { publicKeys: [parsePublicKey(pem)] })
 */
export function verifyReceipt(text: Uint8Array | string, trust: ReceiptTrust): ReceiptReport {
  if (typeof text !== 'string' && !isBytes(text)) throw new TypeError('text must be a string or a Uint8Array')
  return verifyUnder(checkTrust(trust), text)
}

/**
 * Like `verifyReceipt`, but takes validated trust, because checking a key takes ten times as long as checking a
 * signature.
 */
export function verifyUnder(trust: CheckedTrust, text: Uint8Array | string): ReceiptReport {
  const check = { trust, findings: new ReceiptFindings() }
  const receipt = check.findings.attempt(() => parseReceipt(text))
  if (receipt === null) return reportOf(check.findings, null, null, null)
  const decision = checkReceiptEntry(check, receipt, { ...receipt }, readDecision, '')
  if (decision.content !== null) checkDecision(check.findings, decision.content)
  if (receipt.outcome === null) return reportOf(check.findings, receipt, decision, null)
  const { request_id, decision_hash } = receipt
  const claims = { ...receipt.outcome, request_id, decision_hash }
  const outcome = checkReceiptEntry(check, receipt.outcome, claims, readOutcome, 'outcome: ')
  checkOutcome(check.findings, decision, outcome)
  return reportOf(check.findings, receipt, decision, outcome)
}

function checkDecision(findings: ReceiptFindings, content: ReceiptContent<ReceiptDecision>): void {
  const { shown, approvalBinding: binding } = content
  if (shown.decision_hash_checked && content.hashDecision(shown.created_at) !== shown.decision_hash) {
    findings.add('DECISION_HASH_MISMATCH', 'decision_hash is not the hash of the decision in the entry')
  }
  if (content.otherPolicyHash !== null) {
    findings.add('POLICY_HASH_MISMATCH', 'policy_hash is not the hash of the policy in the entry')
  }
  if (content.lacksApproval) {
    findings.add('FIELD_MISMATCH', 'the call was allowed without the approval that the policy required')
  }
  // A denied call does not need an approval, so its approval is not checked.
  if (shown.approval === null || shown.effect === 'deny') return
  if (shown.approval.state !== 'approved') {
    findings.add('FIELD_MISMATCH', 'the call was allowed, but its approval was not granted')
  }
  const bound =
    binding?.request_id === shown.request_id &&
    binding.policy_hash === shown.policy_hash &&
    binding.decision_hash === shown.decision_hash
  if (!bound)
    findings.add('FIELD_MISMATCH', 'the call was allowed under an approval that was given for a different call')
  if (isApprovalLate(shown.approval, shown.recorded_at)) {
    findings.add('APPROVAL_EXPIRED', 'the call was allowed under an approval whose deadline had passed')
  }
}

/** Checks that the outcome belongs to the decision. Fields that both entries state are compared elsewhere. */
function checkOutcome(
  findings: ReceiptFindings,
  decision: CheckedEntry<ReceiptDecision>,
  outcome: CheckedEntry<ReceiptOutcomeContent>,
): void {
  if (outcome.stated.ledger_position <= decision.stated.ledger_position) {
    findings.add('FIELD_MISMATCH', 'outcome: the entry does not follow its decision')
  }
  if (decision.content?.shown.effect === 'deny') {
    findings.add('FIELD_MISMATCH', 'outcome: a denied call cannot have an outcome')
  }
  if (decision.content !== null && outcome.content !== null) {
    checkSameCall(findings, decision.content, outcome.content)
  }
  const [a, b] = [decision.proven?.checkpoint, outcome.proven?.checkpoint]
  if (a === undefined || b === undefined) return
  if (a.origin !== b.origin) {
    findings.add('CHECKPOINT_INVALID', 'outcome: the entry and its decision are in different logs')
  } else if (a.size === b.size && !bytesEqual(a.root, b.root)) {
    const hint = 'keep this receipt: it proves that the log has two histories'
    findings.add('CHECKPOINT_INVALID', 'the log has signed two different trees of the same size', hint)
  }
}

/**
 * Checks that decision and outcome agree on the action, agent and parameters, and that the outcome was not recorded
 * before the decision.
 */
function checkSameCall(
  findings: ReceiptFindings,
  decision: ReceiptContent<ReceiptDecision>,
  outcome: ReceiptContent<ReceiptOutcomeContent>,
): void {
  const isSame =
    outcome.agentId === decision.agentId &&
    outcome.hashDecision(decision.shown.created_at) === decision.shown.decision_hash
  if (outcome.otherPolicyHash !== null) {
    findings.add('POLICY_HASH_MISMATCH', 'outcome: policy_hash is not the hash of the policy in the entry')
  }
  if (!isSame) findings.add('DECISION_HASH_MISMATCH', 'outcome: the entry and its decision describe different calls')
  const [decided, ended] = [decision.shown.recorded_at, outcome.shown.recorded_at]
  if (decided !== null && ended !== null && ended < decided) {
    findings.add('CLOCK_WENT_BACK', 'outcome: the entry was recorded before its decision')
  }
}

function reportOf(
  { list: findings }: ReceiptFindings,
  receipt: UnverifiedReceipt | null,
  decision: CheckedEntry<ReceiptDecision> | null,
  outcome: CheckedEntry<ReceiptOutcomeContent> | null,
): ReceiptReport {
  const proven = decision?.proven ?? null
  const entries = outcome === null ? [decision] : [decision, outcome]
  // A receipt is ok only if every entry in the receipt is proven.
  const ok = findings.length === 0 && receipt !== null && entries.every((entry) => entry?.proven)
  const witnessed = ok && entries.every((entry) => entry?.proven?.witnessed === true)
  return {
    ok,
    verdict: ok ? (witnessed ? 'witnessed' : 'signed') : isOnlyUnknown(findings) ? 'unverified' : 'broken',
    findings,
    position: receipt?.ledger_position ?? null,
    entry_hash: receipt?.entry_hash ?? null,
    entry_signature: decision?.signature ?? 'unchecked',
    decision: ok ? (decision?.content?.shown ?? null) : null,
    outcome: ok && outcome?.proven && outcome.content ? outcomeOf(outcome, outcome.proven, outcome.content) : null,
    unproven: ok ? unprovenOf(receipt) : [],
    checkpoint: proven && checkpointOf(proven),
  }
}

const isOnlyUnknown = (findings: readonly ReceiptFinding[]): boolean =>
  findings.length > 0 && findings.every(({ code }) => code === 'KEY_UNKNOWN')

/** The receipt fields, apart from entry hashes, that are unproven if the entry content is omitted. */
const STATED_MEMBERS = ['request_id', 'created_at', 'policy_id', 'policy_hash', 'decision_hash'] as const

function unprovenOf({ line, outcome, entry_signature: signature }: UnverifiedReceipt): readonly string[] {
  if (line !== null) return []
  // If the entry is omitted, a removed signature cannot be detected.
  return [
    ...STATED_MEMBERS,
    ...(signature === null ? ['entry_signature'] : []),
    ...(outcome === null ? [] : ['outcome']),
  ]
}

const outcomeOf = (
  { stated, signature }: CheckedEntry<ReceiptOutcomeContent>,
  proven: ProvenEntry,
  { shown }: ReceiptContent<ReceiptOutcomeContent>,
): ReceiptOutcome => ({
  position: proven.position,
  entry_hash: stated.entry_hash,
  entry_signature: signature,
  checkpoint: checkpointOf(proven),
  content: shown,
})

const checkpointOf = ({ checkpoint, signedBy, cosignedBy }: ProvenEntry): ReceiptCheckpoint => ({
  origin: checkpoint.origin,
  size: checkpoint.size,
  root: encodeBase64(checkpoint.root),
  signed_by: signedBy,
  cosigned_by: cosignedBy,
})
