/** The faults of a receipt: the closed set of codes, and the list of one verification. */
import { CryptoError, type CryptoErrorCode } from '../error.js'

/**
 * - `RECEIPT_INVALID`: not a receipt, or one with an invalid entry
 * - `PROOF_MISSING`: the receipt has no proof that the entry is recorded
 * - `PROOF_INVALID`: not a proof, or one that does not lead from this entry at this position to its checkpoint
 * - `CHECKPOINT_INVALID`: not a checkpoint; of another log than the decision's; or another tree of the same size
 * - `KEY_UNKNOWN`: no given key signed the checkpoint, or an entry that does not name its key: nothing is verified
 * - `SIGNATURE_INVALID`: a given key's signature of the checkpoint or of the entry is invalid
 * - `ENTRY_HASH_MISMATCH`, `DECISION_HASH_MISMATCH`, `POLICY_HASH_MISMATCH`: the content has a different hash
 * - `FIELD_MISMATCH`: two fields that must be equal differ, or an outcome or approval belongs to another call
 * - `APPROVAL_EXPIRED`: the call was allowed under an approval whose deadline had passed
 * - `CLOCK_WENT_BACK`: the outcome was recorded before its decision, by the ledger's clock
 * - `ORIGIN_MISMATCH`: the checkpoint is of another log than the expected one, or than those in the policy
 * - `LOG_KEY_MISMATCH`: the log's key in the policy has not signed the checkpoint
 * - `WITNESS_QUORUM_MISSING`: too few of the policy's witnesses have cosigned
 */
export type ReceiptFindingCode =
  | 'RECEIPT_INVALID'
  | 'PROOF_MISSING'
  | 'PROOF_INVALID'
  | 'CHECKPOINT_INVALID'
  | 'KEY_UNKNOWN'
  | 'SIGNATURE_INVALID'
  | 'ENTRY_HASH_MISMATCH'
  | 'DECISION_HASH_MISMATCH'
  | 'POLICY_HASH_MISMATCH'
  | 'FIELD_MISMATCH'
  | 'APPROVAL_EXPIRED'
  | 'CLOCK_WENT_BACK'
  | 'ORIGIN_MISMATCH'
  | 'LOG_KEY_MISMATCH'
  | 'WITNESS_QUORUM_MISSING'

/** One fault. The message is one line in lower case and does not repeat text of the receipt. */
export interface ReceiptFinding {
  readonly code: ReceiptFindingCode
  readonly message: string
  readonly hint?: string
}

/** Errors about parts of a receipt, as findings. Errors that only the caller can cause are not listed. */
const FINDING_OF: ReadonlyMap<CryptoErrorCode, ReceiptFindingCode> = new Map([
  ['RECEIPT_INVALID', 'RECEIPT_INVALID'],
  ['PROOF_INVALID', 'PROOF_INVALID'],
  ['NOTE_INVALID', 'CHECKPOINT_INVALID'],
  ['CHECKPOINT_INVALID', 'CHECKPOINT_INVALID'],
  ['KEY_UNKNOWN', 'KEY_UNKNOWN'],
  ['SIGNATURE_INVALID', 'SIGNATURE_INVALID'],
  ['ORIGIN_MISMATCH', 'ORIGIN_MISMATCH'],
  ['LOG_KEY_MISMATCH', 'LOG_KEY_MISMATCH'],
])

/** Messages about the one note of a receipt, in place of those about notes in general. */
const MESSAGE_OF: ReadonlyMap<CryptoErrorCode, string> = new Map([
  ['KEY_UNKNOWN', 'the checkpoint is not signed by a given key of this log'],
  ['SIGNATURE_INVALID', 'a signature of the checkpoint is invalid'],
])

/** The findings of one verification. */
export class ReceiptFindings {
  readonly list: ReceiptFinding[] = []

  /** Adds a finding. `KEY_UNKNOWN` is added only once for decision and outcome together. */
  add(code: ReceiptFindingCode, message: string, hint?: string): void {
    if (code === 'KEY_UNKNOWN' && this.list.some((finding) => finding.code === code)) return
    this.list.push({ code, message, ...(hint === undefined ? {} : { hint }) })
  }

  /**
   * Returns the result of a step; if it throws, adds a finding and returns null.
   *
   * @param where - a prefix for the message
   * @param keyHint - added when the checkpoint is not signed by a given key
   */
  attempt<T>(step: () => T, where = '', keyHint?: string): T | null {
    try {
      return step()
    } catch (error) {
      const code = error instanceof CryptoError ? FINDING_OF.get(error.code) : undefined
      if (!(error instanceof CryptoError) || code === undefined) throw error
      this.add(
        code,
        where + (MESSAGE_OF.get(error.code) ?? error.message),
        code === 'KEY_UNKNOWN' ? keyHint : error.hint,
      )
      return null
    }
  }
}
