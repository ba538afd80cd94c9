/**
 * Verifies a receipt. A statement in a receipt is evidence only if a chain of checks connects it to a signature by
 * a key that the caller trusts:
 *
 *     key → checkpoint → tree root → leaf at the position → entry_hash → entry content → decision_hash
 *
 * An invalid receipt gives a report, never an exception. `findings` lists the reasons. Decision, outcome, control entry
 * and checkpoint are returned only if they were verified.
 */

import { encodeBase64 } from '../bytes/base64.js'
import { isBytes } from '../bytes/bytes.js'
import type { Hash } from '../bytes/hash.js'
import type { KeyId } from '../key/key.js'
import { checkDecision, checkOutcome } from './call-check.js'
import {
  type CallContent,
  type ReceiptContent,
  type ReceiptDecision,
  type ReceiptOutcomeContent,
  readDecision,
  readOutcome,
} from './content.js'
import { type ReceiptControl, readControlEntry } from './control-content.js'
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
  /** Null if `ok` is false, if the receipt is that of a control entry, or if the entry content was omitted. */
  readonly decision: ReceiptDecision | null
  /**
   * Null if `ok` is false, if the receipt does not contain an outcome, or if the content of the outcome was omitted
   * (see `unproven`).
   */
  readonly outcome: ReceiptOutcome | null
  /** Null if `ok` is false, if the receipt is that of a call, or if the entry content was omitted. */
  readonly control: ReceiptControl | null
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
  if (receipt === null) return reportOf(check.findings, null, NO_ENTRIES)
  if (receipt.event === 'checkpoint') {
    const control = checkReceiptEntry(check, receipt, { ...receipt }, readControlEntry, '')
    return reportOf(check.findings, receipt, { ...NO_ENTRIES, control })
  }
  const decision = checkReceiptEntry(check, receipt, { ...receipt }, readDecision, '')
  if (decision.content !== null) checkDecision(check.findings, decision.content)
  if (receipt.outcome === null) return reportOf(check.findings, receipt, { ...NO_ENTRIES, decision })
  const { request_id, decision_hash } = receipt
  const claims = { ...receipt.outcome, request_id, decision_hash }
  const outcome = checkReceiptEntry(check, receipt.outcome, claims, readOutcome, 'outcome: ')
  checkOutcome(check.findings, decision, outcome)
  return reportOf(check.findings, receipt, { ...NO_ENTRIES, decision, outcome })
}

/** The entries of a receipt: a control entry, or a decision and its outcome. */
interface CheckedEntries {
  readonly control: CheckedEntry<ReceiptContent<ReceiptControl>> | null
  readonly decision: CheckedEntry<CallContent<ReceiptDecision>> | null
  readonly outcome: CheckedEntry<CallContent<ReceiptOutcomeContent>> | null
}

const NO_ENTRIES: CheckedEntries = { control: null, decision: null, outcome: null }

function reportOf(
  { list: findings }: ReceiptFindings,
  receipt: UnverifiedReceipt | null,
  { control, decision, outcome }: CheckedEntries,
): ReceiptReport {
  const first = control ?? decision
  const proven = first?.proven ?? null
  const entries = outcome === null ? [first] : [first, outcome]
  // A receipt is ok only if every entry in the receipt is proven.
  const ok = findings.length === 0 && receipt !== null && entries.every((entry) => entry?.proven)
  const witnessed = ok && entries.every((entry) => entry?.proven?.witnessed === true)
  return {
    ok,
    verdict: ok ? (witnessed ? 'witnessed' : 'signed') : isOnlyUnknown(findings) ? 'unverified' : 'broken',
    findings,
    position: receipt?.ledger_position ?? null,
    entry_hash: receipt?.entry_hash ?? null,
    entry_signature: first?.signature ?? 'unchecked',
    decision: ok ? (decision?.content?.shown ?? null) : null,
    outcome: ok && outcome?.proven && outcome.content ? outcomeOf(outcome, outcome.proven, outcome.content) : null,
    control: ok ? (control?.content?.shown ?? null) : null,
    unproven: ok ? unprovenOf(receipt) : [],
    checkpoint: proven && checkpointOf(proven),
  }
}

const isOnlyUnknown = (findings: readonly ReceiptFinding[]): boolean =>
  findings.length > 0 && findings.every(({ code }) => code === 'KEY_UNKNOWN')

/** The receipt fields, apart from entry hashes, that are unproven if the entry content is omitted. */
const STATED_MEMBERS = ['request_id', 'created_at', 'policy_id', 'policy_hash', 'decision_hash'] as const

function unprovenOf({ event, line, outcome, entry_signature: signature }: UnverifiedReceipt): readonly string[] {
  if (line !== null) return []
  // If the entry is omitted, a removed signature cannot be detected.
  return [
    ...(event === 'checkpoint' ? ['event'] : STATED_MEMBERS),
    ...(signature === null ? ['entry_signature'] : []),
    ...(outcome === null ? [] : ['outcome']),
  ]
}

const outcomeOf = (
  { stated, signature }: CheckedEntry<CallContent<ReceiptOutcomeContent>>,
  proven: ProvenEntry,
  { shown }: CallContent<ReceiptOutcomeContent>,
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
