export {
  encodeAddCheckpoint,
  PROOF_LINES_MAX,
  parseAddCheckpoint,
  SUBMISSION_BYTES_MAX,
  type Submission,
  type UnverifiedSubmission,
} from './add-checkpoint.js'
export { type CosignedCheckpoint, type CosignOptions, cosign } from './client.js'
export { WitnessError, type WitnessErrorCode } from './error.js'
export { MemoryWitnessStore } from './memory-store.js'
export { type ServeOptions, serveWitness, type WitnessServer } from './server.js'
export type { StoredCheckpoint, WitnessStore } from './store.js'
export { createWitness, type Witness, type WitnessAnswer, type WitnessOptions } from './witness.js'
