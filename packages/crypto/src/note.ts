/** `@sudoagent/crypto/note`: signed notes, checkpoints, cosignatures, tlog-proofs and witness policies (C2SP). */

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
