/** `@sudoagent/ledger/proof`: inclusion, consistency and prefix proofs from a ledger. */

export { type PrefixProof, proveConsistency, proveInclusion, provePrefix } from './tree/prove.js'
export { readUnverifiedCheckpoint, type UnverifiedCheckpoint } from './verify/unverified-checkpoint.js'
