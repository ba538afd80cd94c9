/**
 * Verifies a receipt, and says what was found. What a receipt says is evidence only as far as it follows from a signature
 * by a key that the caller trusts:
 *
 *     key → checkpoint → root of the tree → leaf at the position → entry_hash → content of the entry → decision_hash
 *
 * A receipt that does not hold is a value, never an exception: `findings` says why, and nothing unverified is handed out
 * under the names of what was.
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

/** The checkpoint that a proof leads to. */
export interface ReceiptCheckpoint {
  /** The log's name. */
  readonly origin: string
  /** Entries in the log at that time. */
  readonly size: number
  /** Base64 of 32 bytes. */
  readonly root: string
  /** The given keys that signed it. */
  readonly signed_by: readonly KeyId[]
  /** Witnesses of the policy. */
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

/** What a verification found. */
export interface ReceiptReport {
  readonly ok: boolean
  /**
   * `unverified`: no given key has signed it, or all of it, and nothing else was found, so nothing is known beyond
   * `checkpoint`. `signed`: a given key vouches for it. `witnessed`: and the witnesses that the policy asks for saw that log.
   */
  readonly verdict: 'broken' | 'unverified' | 'signed' | 'witnessed'
  /** Empty when it is ok, and only then. */
  readonly findings: readonly ReceiptFinding[]
  /** As the receipt says; proven when it is ok; null when it cannot be read. */
  readonly position: number | null
  readonly entry_hash: Hash | null
  readonly entry_signature: EntrySignature
  /** Null unless the receipt is ok, and when the content was left out. */
  readonly decision: ReceiptDecision | null
  /** Null unless the receipt is ok, when it has none, and when the content was left out: see `unproven`. */
  readonly outcome: ReceiptOutcome | null
  /**
   * Members of the receipt whose values nothing proves, because the content was left out. Empty unless the receipt is ok:
   * otherwise nothing is proven. Their values are not in this report.
   */
  readonly unproven: readonly string[]
  /** Null unless a given key has signed it and it has the entry, whatever else is wrong. */
  readonly checkpoint: ReceiptCheckpoint | null
}

/**
 * Verifies a receipt offline: the checkpoint's signature, the proofs, the hashes of both entries and of the decision, that
 * all fields say the same, that the outcome is that of this decision and stands behind it in the same log, and the policy's
 * quorum. `receiptProves` says in words what follows from a report, and what does not.
 *
 * @param text bytes, or text that was UTF-8.
 * @param trust keys from where you trust them, not from whoever gave the receipt.
 * @returns a report; never throws because of what the receipt says.
 * @throws TypeError for a text that is none, an option that does not exist or is no list of keys; RangeError for more than
 * 64 keys; CryptoError `KEY_WRONG_TYPE` for a witness's key among them, others as `createVerifier`.
 * @example
 * const { ok, decision } = verifyReceipt(await readFile('receipt.json'), { publicKeys: [parsePublicKey(pem)] })
 */
export function verifyReceipt(text: Uint8Array | string, trust: ReceiptTrust): ReceiptReport {
  if (typeof text !== 'string' && !isBytes(text)) throw new TypeError('text must be a string or a Uint8Array')
  return verifyUnder(checkTrust(trust), text)
}

/** `verifyReceipt`, when the trust is checked: a key costs ten times as much as a signature. */
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
    findings.add('FIELD_MISMATCH', 'the call was allowed without the approval that the policy asked for')
  }
  // A denied call needs no approval, so nothing is asked of it.
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

/** What makes it the outcome of this decision, beside the fields that both name. */
function checkOutcome(
  findings: ReceiptFindings,
  decision: CheckedEntry<ReceiptDecision>,
  outcome: CheckedEntry<ReceiptOutcomeContent>,
): void {
  if (outcome.stated.ledger_position <= decision.stated.ledger_position) {
    findings.add('FIELD_MISMATCH', 'outcome: it does not stand behind its decision')
  }
  if (decision.content?.shown.effect === 'deny') {
    findings.add('FIELD_MISMATCH', 'outcome: a call that was denied has none')
  }
  if (decision.content !== null && outcome.content !== null) {
    checkSameCall(findings, decision.content, outcome.content)
  }
  const [a, b] = [decision.proven?.checkpoint, outcome.proven?.checkpoint]
  if (a === undefined || b === undefined) return
  if (a.origin !== b.origin) {
    findings.add('CHECKPOINT_INVALID', 'outcome: it stands in another log than its decision')
  } else if (a.size === b.size && !bytesEqual(a.root, b.root)) {
    const hint = 'keep this receipt: it shows that the log has told two stories'
    findings.add('CHECKPOINT_INVALID', 'the log has signed two different trees of one size', hint)
  }
}

/** The outcome names the action, the agent and the parameters of its decision, and was recorded after it. */
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
  if (!isSame) findings.add('DECISION_HASH_MISMATCH', 'outcome: it describes another call than its decision')
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
  // Said only of what was proven: every entry that the receipt states.
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

/** What a receipt says of the entries beside their hashes, when it does not have the entries. */
const STATED_MEMBERS = ['request_id', 'created_at', 'policy_id', 'policy_hash', 'decision_hash'] as const

function unprovenOf({ line, outcome, entry_signature: signature }: UnverifiedReceipt): readonly string[] {
  if (line !== null) return []
  // Without the entry, a signature that was taken out leaves no trace.
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
