/** The optional properties of an error. */
export interface ErrorDetails {
  /** The next step for the user, in one line. */
  readonly hint?: string | undefined
  /** The action of the failed call. */
  readonly action?: string | undefined
  /** The request id of the failed call. */
  readonly requestId?: string | undefined
  /** The original exception. The exception may come from untrusted code: do not show it. */
  readonly cause?: unknown
}

/**
 * The base class of all errors thrown by the sudoagent packages, except misuse errors (`TypeError`, `RangeError`).
 *
 * Programs should branch on `code`, never on the message. Each class has a closed set of codes. The message is one
 * lower-case line that names the fault and its location. The optional `hint` describes the next step. `action` and
 * `requestId` identify the failed call, if there is one.
 */
export abstract class SudoAgentError<Code extends string = string> extends Error {
  readonly code: Code
  readonly hint: string | undefined
  readonly action: string | undefined
  readonly requestId: string | undefined

  constructor(code: Code, message: string, { hint, action, requestId, cause }: ErrorDetails = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.hint = hint
    this.action = action
    this.requestId = requestId
  }
}

/** The closed set of error codes in this package. Programs should branch on the code, never on the message. */
export type CryptoErrorCode =
  | 'VALUE_REFUSED'
  | 'JSON_INVALID'
  | 'KEY_INVALID'
  | 'KEY_WEAK'
  | 'KEY_WRONG_TYPE'
  | 'KEY_UNKNOWN'
  | 'PASSPHRASE_MISSING'
  | 'PASSPHRASE_WRONG'
  | 'SIGNATURE_INVALID'
  | 'NOTE_INVALID'
  | 'CHECKPOINT_INVALID'
  | 'PROOF_INVALID'
  | 'TREE_INVALID'
  | 'POLICY_INVALID'
  | 'RECEIPT_INVALID'
  | 'ORIGIN_MISMATCH'
  | 'LOG_KEY_MISMATCH'

/**
 * An error thrown by this package.
 *
 * - `VALUE_REFUSED`: a value without a single canonical form was passed to an encoder
 * - `JSON_INVALID`: text or bytes that are not strict JSON
 * - `KEY_INVALID`: a key that cannot be read
 * - `KEY_WRONG_TYPE`: a readable key of the wrong kind
 * - `KEY_WEAK`: a readable Ed25519 key whose signatures prove nothing
 * - `KEY_UNKNOWN`: a note that none of the given keys signed
 * - `PASSPHRASE_MISSING`: an encrypted key, or a key to be encrypted, without a passphrase
 * - `PASSPHRASE_WRONG`: a passphrase that does not decrypt a key
 * - `SIGNATURE_INVALID`: a note with an invalid signature under the name of a given key
 * - `NOTE_INVALID`: text or bytes that are not a signed note
 * - `CHECKPOINT_INVALID`: text that is not a checkpoint
 * - `PROOF_INVALID`: text that is not a tlog-proof, or a proof that does not match the data
 * - `TREE_INVALID`: inconsistent stored hashes of a Merkle tree
 * - `POLICY_INVALID`: text that is not a witness policy, or a policy that cannot be fulfilled
 * - `RECEIPT_INVALID`: text that is not a receipt
 * - `ORIGIN_MISMATCH`: evidence from a log other than the expected log
 * - `LOG_KEY_MISMATCH`: evidence from the expected log, but not signed by the log key in the witness policy
 *
 * The message is one lower-case line. It never contains key material or the refused value. The optional `hint`
 * describes the next step.
 */
export class CryptoError extends SudoAgentError<CryptoErrorCode> {
  override readonly name = 'CryptoError'

  constructor(code: CryptoErrorCode, message: string, hint?: string) {
    super(code, message, { hint })
  }
}
