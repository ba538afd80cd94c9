/** The findings of a receipt verification: the closed set of codes, and the list of faults found. */
import { CryptoError, type CryptoErrorCode } from '../error.js'

/**
 * - `RECEIPT_INVALID`: not a receipt, or a receipt with an invalid entry
 * - `PROOF_MISSING`: the receipt has no proof that the entry is recorded
 * - `PROOF_INVALID`: not a proof, or a proof that does not connect this entry at this position to the checkpoint
 * - `CHECKPOINT_INVALID`: not a checkpoint, or decision and outcome have checkpoints of different logs or
 *   conflicting trees
 * - `KEY_UNKNOWN`: none of the given keys signed the checkpoint or, if the entry does not name its key, the entry;
 *   the signature may still be valid
 * - `SIGNATURE_INVALID`: the signature of the checkpoint or the entry by a given key is invalid
 * - `ENTRY_HASH_MISMATCH`, `DECISION_HASH_MISMATCH`, `POLICY_HASH_MISMATCH`: the stated hash does not match the
 *   content
 * - `FIELD_MISMATCH`: two fields that must be equal differ, or an outcome or approval belongs to a different call
 * - `APPROVAL_EXPIRED`: the call was allowed under an approval whose deadline had passed
 * - `CLOCK_WENT_BACK`: the outcome was recorded before its decision, according to the ledger clock
 * - `ORIGIN_MISMATCH`: the checkpoint does not belong to the expected log or to a log in the policy
 * - `LOG_KEY_MISMATCH`: the checkpoint is not signed by a key that the policy lists for the log
 * - `WITNESS_QUORUM_MISSING`: too few of the policy's witnesses cosigned the checkpoint
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

/** One fault. The message is one lower-case line and does not quote the receipt. */
export interface ReceiptFinding {
  readonly code: ReceiptFindingCode
  readonly message: string
  readonly hint?: string
}

/**
 * Maps error codes about parts of a receipt to finding codes. Errors that only the caller can cause are not
 * included.
 */
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

/** Messages about the checkpoint of a receipt. They replace the general messages about notes. */
const MESSAGE_OF: ReadonlyMap<CryptoErrorCode, string> = new Map([
  ['KEY_UNKNOWN', 'the checkpoint is not signed by a given key of this log'],
  ['SIGNATURE_INVALID', 'a signature of the checkpoint is invalid'],
])

/** Collects the findings of one verification. */
export class ReceiptFindings {
  readonly list: ReceiptFinding[] = []

  /** Adds a finding. `KEY_UNKNOWN` is added only once, even if it applies to both decision and outcome. */
  add(code: ReceiptFindingCode, message: string, hint?: string): void {
    if (code === 'KEY_UNKNOWN' && this.list.some((finding) => finding.code === code)) return
    this.list.push({ code, message, ...(hint === undefined ? {} : { hint }) })
  }

  /**
   * Returns the result of a step. If the step throws an error about the receipt, adds a finding and returns null.
   *
   * @param where - a prefix for the message
   * @param keyHint - the hint for `KEY_UNKNOWN`
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
