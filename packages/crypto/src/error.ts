/** The closed set of things that can go wrong in this package. Programs branch on the code, never on the message. */
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
 * A refusal with a code.
 *
 * - `VALUE_REFUSED`: a value that has no single canonical form was given to an encoder
 * - `JSON_INVALID`: text or bytes that are not strict JSON
 * - `KEY_INVALID`: a key that cannot be read
 * - `KEY_WRONG_TYPE`: a readable key of another kind than the one needed
 * - `KEY_WEAK`: a readable Ed25519 key under which signatures prove nothing
 * - `KEY_UNKNOWN`: a note that none of the given keys has signed
 * - `PASSPHRASE_MISSING`: a key that is encrypted, or is to be, without a passphrase
 * - `PASSPHRASE_WRONG`: a passphrase that does not open an encrypted key
 * - `SIGNATURE_INVALID`: a note with a signature by a given key that is not that key's over this text
 * - `NOTE_INVALID`: text or bytes that are not a signed note
 * - `CHECKPOINT_INVALID`: text that is not a checkpoint
 * - `PROOF_INVALID`: text that is not a tlog-proof, or one that does not prove what it was given for
 * - `TREE_INVALID`: stored hashes of a Merkle tree that cannot be what they are stored as
 * - `POLICY_INVALID`: text that is not a witness policy, or one that nobody can fulfil
 * - `RECEIPT_INVALID`: text that is not a receipt
 * - `ORIGIN_MISMATCH`: evidence of another log than the expected one
 * - `LOG_KEY_MISMATCH`: evidence of the expected log, not signed by the key that the witness policy names for it
 *
 * The message is one line in lower case. It never holds key material and never repeats the refused value. `hint`, when
 * there is one, says what to do next.
 */
export class CryptoError extends Error {
  override readonly name = 'CryptoError'
  readonly code: CryptoErrorCode
  readonly hint: string | undefined

  constructor(code: CryptoErrorCode, message: string, hint?: string) {
    super(message)
    this.code = code
    this.hint = hint
  }
}
