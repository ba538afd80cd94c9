export { APPROVAL_USE_GRACE_MS, type ApprovalTimes, isApprovalLate, isDeadlineOver } from './approval-deadline.js'
export { decodeBase64, encodeBase64 } from './base64.js'
export { encodeCanonical, encodeFixed, encodeJcs, encodeMembers } from './canonical-json.js'
export {
  type Checkpoint,
  encodeCheckpoint,
  openCheckpoint,
  parseCheckpoint,
  signCheckpoint,
  type VerifiedCheckpoint,
} from './checkpoint.js'
export { consistencyProof, verifyConsistency } from './consistency.js'
export { cosignatureTime, createCosignatureVerifier, createCosigner } from './cosignature.js'
export { type DecisionFacts, hashDecisionFacts } from './decision-hash.js'
export { hashEntry, type Members } from './entry-hash.js'
export {
  checkEntry,
  draftMisfit,
  type EntryProblem,
  LEDGER_VERSION,
  NAME_LENGTH_MAX,
  REASON_LENGTH_MAX,
  REQUEST_ID_LENGTH_MAX,
  SCHEMA_VERSION,
} from './entry-shape.js'
export { CryptoError, type CryptoErrorCode } from './error.js'
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
} from './frontier.js'
export { bytesToHex, type Hash, hexToBytes, isHash, sha256, sha256Hex } from './hash.js'
export { inclusionProof, verifyInclusion } from './inclusion.js'
export { indentJson } from './json-layout.js'
export type { ScannedJson } from './json-scanner.js'
export { JSON_DEPTH_MAX, type JsonValue } from './json-value.js'
export {
  encryptPrivateKey,
  generatePrivateKey,
  type KeyId,
  type PrivateKey,
  type PublicKey,
  parsePrivateKey,
  parsePublicKey,
} from './key.js'
export { emptyRoot, HASH_BYTES, leafHash, nodeHash, PROOF_HASHES_MAX, TREE_SIZE_MAX } from './merkle.js'
export { hasMixedScript } from './mixed-script.js'
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
} from './note.js'
export { createNoteKey, encodeVkey, isKeyName, type NoteKey, type NoteKeyType, parseVkey } from './note-key.js'
export { createNoteSigner, createNoteVerifier } from './note-signer.js'
export { NOTE_BYTES_MAX } from './note-text.js'
export {
  type ExpectedLog,
  policyLogKeys,
  requireLog,
  requireOtherWitnesses,
  witnessesWithKeys,
} from './policy-log.js'
export { escapeUnseen, printable } from './printable.js'
export {
  isPypiBudgetDenial,
  isPypiEntry,
  PYPI_ACTOR,
  parametersText,
  pypiAsksForApproval,
  pypiMisfit,
  pypiPolicyHash,
} from './pypi-entry.js'
export {
  encodeReceipt,
  parseReceipt,
  RECEIPT_BYTES_MAX,
  type ReceiptEntryParts,
  type ReceiptParts,
  type UnverifiedReceipt,
  type UnverifiedReceiptEntry,
} from './receipt.js'
export type { ReceiptApproval, ReceiptDecision, ReceiptOutcomeContent } from './receipt-content.js'
export type { EntrySignature } from './receipt-entry.js'
export type { ReceiptFinding, ReceiptFindingCode } from './receipt-finding.js'
export { type ReceiptMeaning, receiptProves } from './receipt-meaning.js'
export { type ProvenEntry, type ReceiptCosigner, type ReceiptTrust, verifyProofOf } from './receipt-proof.js'
export { type ReceiptCheckpoint, type ReceiptOutcome, type ReceiptReport, verifyReceipt } from './receipt-report.js'
export { parseJson, scanJson } from './scan-json.js'
export {
  createSigner,
  createVerifier,
  type SignatureProvider,
  type Signer,
  signAside,
  type Verifier,
} from './signature.js'
export { createTileHashReader, TILE_HEIGHT, TILE_WIDTH, type TileReader, tilePath, tileWidth } from './tile.js'
export { isTimestamp, timestampMs } from './timestamp.js'
export {
  encodeTlogProof,
  openTlogProof,
  parseTlogProof,
  type TlogProof,
  type VerifiedTlogProof,
} from './tlog-proof.js'
export type { HashReader } from './tree-reader.js'
export { decodeUtf8 } from './utf8.js'
export {
  cosignerNames,
  type PolicyGroup,
  type PolicyParty,
  type PolicyVerifier,
  parseWitnessPolicy,
  policyVerifiers,
  quorumReached,
  type WitnessPolicy,
} from './witness-policy.js'
