/**
 * Verifies a receipt. A statement in a receipt is evidence only if it follows from a signature by a key that the
 * caller trusts:
 *
 *     key → checkpoint → root of the tree → leaf at the position → entry_hash → content of the entry → decision_hash
 *
 * An invalid receipt is reported as a value, never as an exception: `findings` has the reasons, and unverified
 * values are never returned under the names of verified ones.
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

/** The checkpoint of a proof. */
export interface ReceiptCheckpoint {
  /** The log's name. */
  readonly origin: string
  /** The number of entries in the log at that time. */
  readonly size: number
  /** Base64 of 32 bytes. */
  readonly root: string
  /** The given keys that signed it. */
  readonly signed_by: readonly KeyId[]
  /** The witnesses of the policy that cosigned it. */
  readonly cosigned_by: readonly ReceiptCosigner[]
}

/** An outcome in the same log. */
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
   * findings, so only `checkpoint` is known. `signed`: a given key has signed it. `witnessed`: and the witnesses
   * that the policy requires saw that log.
   */
  readonly verdict: 'broken' | 'unverified' | 'signed' | 'witnessed'
  /** Empty if and only if the receipt is ok. */
  readonly findings: readonly ReceiptFinding[]
  /** The receipt's statement; proven when it is ok; null when it cannot be read. */
  readonly position: number | null
  readonly entry_hash: Hash | null
  readonly entry_signature: EntrySignature
  /** Null when the receipt is not ok or has no content. */
  readonly decision: ReceiptDecision | null
  /** Null when the receipt is not ok, has no outcome, or has no content: see `unproven`. */
  readonly outcome: ReceiptOutcome | null
  /**
   * Members of the receipt whose values are not proven, because the content was omitted. Empty when the receipt is
   * not ok: then nothing is proven. Their values are not in this report.
   */
  readonly unproven: readonly string[]
  /** Null when no given key has signed it or it does not contain the entry; independent of other findings. */
  readonly checkpoint: ReceiptCheckpoint | null
}

/**
 * Verifies a receipt offline: the checkpoint's signature, the proofs, the hashes of both entries and of the
 * decision, the consistency of all fields, that the outcome belongs to this decision and follows it in the same
 * log, and the policy's quorum. `receiptProves` explains a report in sentences.
 *
 * @param text - bytes, or a string decoded from UTF-8
 * @param trust - keys from a trusted source, not from the sender of the receipt
 * @returns a report; never throws because of the content of the receipt
 * @throws TypeError for a text that is not a string or bytes, an unknown option or a value that is not a list of
 *   keys; RangeError for more than 64 keys; CryptoError `KEY_WRONG_TYPE` for a witness's key among them, and errors
 *   of `createVerifier`
 * @example
 * const { ok, decision } = verifyReceipt(await readFile('receipt.json'), { publicKeys: [parsePublicKey(pem)] })
 */
export function verifyReceipt(text: Uint8Array | string, trust: ReceiptTrust): ReceiptReport {
  if (typeof text !== 'string' && !isBytes(text)) throw new TypeError('text must be a string or a Uint8Array')
  return verifyUnder(checkTrust(trust), text)
}

/** Like `verifyReceipt`, with validated trust: checking a key takes ten times as long as checking a signature. */
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
  // A denied call needs no approval, so its approval is not checked.
  if (shown.approval === null || shown.effect === 'deny') return
  if (shown.approval.state !== 'approved') {
    findings.add('FIELD_MISMATCH', 'the call was allowed under an approval that was not given')
  }
  const bound =
    binding?.request_id === shown.request_id &&
    binding.policy_hash === shown.policy_hash &&
    binding.decision_hash === shown.decision_hash
  if (!bound) findings.add('FIELD_MISMATCH', 'the call was allowed under an approval that was given for another call')
  if (isApprovalLate(shown.approval, shown.recorded_at)) {
    findings.add('APPROVAL_EXPIRED', 'the call was allowed under an approval whose deadline had passed')
  }
}

/** Checks that the outcome belongs to this decision, apart from the fields that both state. */
function checkOutcome(
  findings: ReceiptFindings,
  decision: CheckedEntry<ReceiptDecision>,
  outcome: CheckedEntry<ReceiptOutcomeContent>,
): void {
  if (outcome.stated.ledger_position <= decision.stated.ledger_position) {
    findings.add('FIELD_MISMATCH', 'outcome: it does not follow its decision')
  }
  if (decision.content?.shown.effect === 'deny') {
    findings.add('FIELD_MISMATCH', 'outcome: a denied call cannot have one')
  }
  if (decision.content !== null && outcome.content !== null) {
    checkSameCall(findings, decision.content, outcome.content)
  }
  const [a, b] = [decision.proven?.checkpoint, outcome.proven?.checkpoint]
  if (a === undefined || b === undefined) return
  if (a.origin !== b.origin) {
    findings.add('CHECKPOINT_INVALID', 'outcome: it is in a different log from its decision')
  } else if (a.size === b.size && !bytesEqual(a.root, b.root)) {
    const hint = 'keep this receipt: it proves that the log has two histories'
    findings.add('CHECKPOINT_INVALID', 'the log has signed two different trees of the same size', hint)
  }
}

/** Checks that the outcome has the action, agent and parameters of its decision, and was recorded after it. */
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
  if (!isSame) findings.add('DECISION_HASH_MISMATCH', 'outcome: it describes a different call from its decision')
  const [decided, ended] = [decision.shown.recorded_at, outcome.shown.recorded_at]
  if (decided !== null && ended !== null && ended < decided) {
    findings.add('CLOCK_WENT_BACK', 'outcome: it was recorded before its decision')
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
  // A receipt is ok only if every entry that it states is proven.
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

/** The fields of a receipt, other than the hashes of entries, that are unproven when the entries are omitted. */
const STATED_MEMBERS = ['request_id', 'created_at', 'policy_id', 'policy_hash', 'decision_hash'] as const

function unprovenOf({ line, outcome, entry_signature: signature }: UnverifiedReceipt): readonly string[] {
  if (line !== null) return []
  // Without the entry, the removal of a signature is not detectable.
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
