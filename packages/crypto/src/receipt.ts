/** `@sudoagent/crypto/receipt`: creates, parses and verifies receipts, and explains what they prove. */

export type { ReceiptApproval, ReceiptDecision, ReceiptOutcomeContent } from './receipt/content.js'
export { controlRows, type ReceiptControl } from './receipt/control-content.js'
export type { EntrySignature } from './receipt/entry-check.js'
export type { ReceiptFinding, ReceiptFindingCode } from './receipt/finding.js'
export { type ReceiptMeaning, receiptProves } from './receipt/meaning.js'
export { type ProvenEntry, type ReceiptCosigner, type ReceiptTrust, verifyProofOf } from './receipt/proof.js'
export {
  encodeReceipt,
  parseReceipt,
  RECEIPT_BYTES_MAX,
  type ReceiptEntryParts,
  type ReceiptParts,
  type UnverifiedCallReceipt,
  type UnverifiedControlReceipt,
  type UnverifiedReceipt,
  type UnverifiedReceiptEntry,
} from './receipt/receipt.js'
export { type ReceiptCheckpoint, type ReceiptOutcome, type ReceiptReport, verifyReceipt } from './receipt/verify.js'
