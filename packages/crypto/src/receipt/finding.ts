/** Why a receipt does not hold: the closed set of codes, and the list that one verification fills. */
import { CryptoError, type CryptoErrorCode } from '../error.js'

/**
 * - `RECEIPT_INVALID`: no receipt, or an entry in it that is none
 * - `PROOF_MISSING`: nothing shows that the entry is on record
 * - `PROOF_INVALID`: a proof that is none, or does not lead from this entry at this position to its checkpoint
 * - `CHECKPOINT_INVALID`: no checkpoint; of another log than the decision's; or another tree of the same size
 * - `KEY_UNKNOWN`: no given key signed the checkpoint, or an entry that does not name its key: nothing can be said
 * - `SIGNATURE_INVALID`: a given key's signature, on the checkpoint or on the entry, does not hold
 * - `ENTRY_HASH_MISMATCH`, `DECISION_HASH_MISMATCH`, `POLICY_HASH_MISMATCH`: content that was not hashed so
 * - `FIELD_MISMATCH`: two places that must say the same do not, or an outcome or approval that belongs elsewhere
 * - `APPROVAL_EXPIRED`: the call was allowed under an approval whose deadline had passed
 * - `CLOCK_WENT_BACK`: the outcome was recorded before its decision, by the ledger's clock
 * - `ORIGIN_MISMATCH`: the checkpoint is of another log than the expected one, or than those that the policy names
 * - `LOG_KEY_MISMATCH`: the key that the policy names for the log has not signed the checkpoint
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

/** One reason. The message is one line in lower case and repeats no text of the receipt. */
export interface ReceiptFinding {
  readonly code: ReceiptFindingCode
  readonly message: string
  readonly hint?: string
}

/** Refusals of what a receipt is made of, as findings. Not in it: what can only be the caller's mistake. */
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

/** What notes say in general, said of the one note that a receipt has. */
const MESSAGE_OF: ReadonlyMap<CryptoErrorCode, string> = new Map([
  ['KEY_UNKNOWN', 'none of the given keys is one of this log that has signed the checkpoint'],
  ['SIGNATURE_INVALID', 'a signature of the checkpoint does not hold'],
])

/** The findings of one verification. */
export class ReceiptFindings {
  readonly list: ReceiptFinding[] = []

  /** A key that was not given is one finding, for decision and outcome together. */
  add(code: ReceiptFindingCode, message: string, hint?: string): void {
    if (code === 'KEY_UNKNOWN' && this.list.some((finding) => finding.code === code)) return
    this.list.push({ code, message, ...(hint === undefined ? {} : { hint }) })
  }

  /**
   * What a step gives; null, and a finding, when it refuses.
   *
   * @param where goes before the message.
   * @param keyHint is added when no given key has signed.
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
