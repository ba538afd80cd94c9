export { decodeBase64, encodeBase64 } from './bytes/base64.js'
export { bytesToHex, type Hash, hexToBytes, isHash, sha256, sha256Hex } from './bytes/hash.js'
export { decodeUtf8 } from './bytes/utf8.js'
export { APPROVAL_USE_GRACE_MS, type ApprovalTimes, isApprovalLate, isDeadlineOver } from './entry/approval-deadline.js'
export { type DecisionFacts, hashDecisionFacts } from './entry/decision-hash.js'
export { hashEntry, type Members } from './entry/entry-hash.js'
export {
  isPypiBudgetDenial,
  isPypiEntry,
  PYPI_ACTOR,
  parametersText,
  pypiAsksForApproval,
  pypiMisfit,
  pypiPolicyHash,
} from './entry/pypi-entry.js'
export {
  checkEntry,
  draftMisfit,
  type EntryProblem,
  LEDGER_VERSION,
  NAME_LENGTH_MAX,
  REASON_LENGTH_MAX,
  REQUEST_ID_LENGTH_MAX,
  SCHEMA_VERSION,
} from './entry/shape.js'
export { isTimestamp, timestampMs } from './entry/timestamp.js'
export { CryptoError, type CryptoErrorCode, type ErrorDetails, SudoAgentError } from './error.js'
export { encodeCanonical, encodeFixed, encodeJcs, encodeMembers } from './json/encode.js'
export { indentJson } from './json/layout.js'
export { parseJson, scanJson } from './json/scan.js'
export type { ScannedJson } from './json/scanner.js'
export { JSON_DEPTH_MAX, type JsonValue } from './json/value.js'
export {
  encryptPrivateKey,
  generatePrivateKey,
  type KeyId,
  type PrivateKey,
  type PublicKey,
  parsePrivateKey,
  parsePublicKey,
} from './key/key.js'
export {
  createSigner,
  createVerifier,
  type SignatureProvider,
  type Signer,
  signAside,
  type Verifier,
} from './key/signature.js'
export {
  type Checkpoint,
  encodeCheckpoint,
  openCheckpoint,
  parseCheckpoint,
  signCheckpoint,
  type VerifiedCheckpoint,
} from './note/checkpoint.js'
export { cosignatureTime, createCosignatureVerifier, createCosigner } from './note/cosignature.js'
export {
  createSignature,
  encodeNote,
  encodeSignatureLine,
  NOTE_SIGNATURES_MAX,
  type Note,
  type NoteSignature,
  type NoteSigner,
  type NoteVerifier,
  openNote,
  parseNote,
  signNote,
  type UnverifiedNote,
  type VerifiedSignature,
} from './note/note.js'
export { createNoteKey, encodeVkey, isKeyName, type NoteKey, type NoteKeyType, parseVkey } from './note/note-key.js'
export { createNoteSigner, createNoteVerifier } from './note/note-signer.js'
export { NOTE_BYTES_MAX } from './note/note-text.js'
export {
  type ExpectedLog,
  policyLogKeys,
  requireLog,
  requireOtherWitnesses,
  witnessesWithKeys,
} from './note/policy-log.js'
export {
  encodeTlogProof,
  openTlogProof,
  parseTlogProof,
  type TlogProof,
  type VerifiedTlogProof,
} from './note/tlog-proof.js'
export {
  cosignerNames,
  type PolicyGroup,
  type PolicyParty,
  type PolicyVerifier,
  parseWitnessPolicy,
  policyVerifiers,
  quorumReached,
  type WitnessPolicy,
} from './note/witness-policy.js'
export type { ReceiptApproval, ReceiptDecision, ReceiptOutcomeContent } from './receipt/content.js'
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
  type UnverifiedReceipt,
  type UnverifiedReceiptEntry,
} from './receipt/receipt.js'
export { type ReceiptCheckpoint, type ReceiptOutcome, type ReceiptReport, verifyReceipt } from './receipt/verify.js'
export { hasMixedScript } from './text/mixed-script.js'
export { escapeUnseen, printable } from './text/printable.js'
export { consistencyProof, verifyConsistency } from './tree/consistency.js'
export {
  appendLeaf,
  appendLeaves,
  EMPTY_FRONTIER,
  encodeFrontier,
  type Frontier,
  frontierRoot,
  type GrownTree,
  parseFrontier,
  readFrontier,
  type TreeNode,
} from './tree/frontier.js'
export { inclusionProof, verifyInclusion } from './tree/inclusion.js'
export { emptyRoot, HASH_BYTES, leafHash, nodeHash, PROOF_HASHES_MAX, TREE_SIZE_MAX } from './tree/merkle.js'
export type { HashReader } from './tree/reader.js'
export { createTileHashReader, TILE_HEIGHT, TILE_WIDTH, type TileReader, tilePath, tileWidth } from './tree/tile.js'
