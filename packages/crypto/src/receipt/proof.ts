/**
 * Verifies the path from an entry hash to a checkpoint signed by a trusted key. This path is the evidence in a
 * receipt.
 *
 * A public key without a name is trusted for any log, so the caller must check the log name, which is returned as
 * the checkpoint's origin. A key with a name (a vkey) is trusted only for the log with that name.
 */
import { isBytes } from '../bytes/bytes.js'
import { type Hash, hexToBytes } from '../bytes/hash.js'
import { CryptoError } from '../error.js'
import type { KeyId, PublicKey } from '../key/key.js'
import { createVerifier, type Verifier } from '../key/signature.js'
import { parseCheckpoint, type VerifiedCheckpoint } from '../note/checkpoint.js'
import { cosignatureTime } from '../note/cosignature.js'
import { type NoteVerifier, parseNote } from '../note/note.js'
import { createNoteKey, isKeyName, type NoteKey } from '../note/note-key.js'
import { createNoteVerifier } from '../note/note-signer.js'
import { requireLog, requireOtherWitnesses } from '../note/policy-log.js'
import { openTlogProof, parseTlogProof } from '../note/tlog-proof.js'
import {
  cosignerNames,
  type PolicyVerifier,
  policyVerifiers,
  quorumReached,
  type WitnessPolicy,
} from '../note/witness-policy.js'
import { leafHash } from '../tree/merkle.js'

/** The trusted keys and witnesses. */
export interface ReceiptTrust {
  /**
   * The keys that sign the log's checkpoints and entries; at most 64. Include old and new keys after a key
   * rotation.
   */
  readonly publicKeys: readonly (PublicKey | NoteKey)[]
  /**
   * The quorum of this policy must have cosigned the checkpoint. The log keys in the policy are trusted in addition
   * to `publicKeys`. If the policy lists any logs, the checkpoint must belong to one of these logs and be signed by a
   * key of that log.
   */
  readonly witnessPolicy?: WitnessPolicy | undefined
  /** The origin of the expected log. Default: any log whose checkpoint a given key signed. */
  readonly origin?: string | undefined
}

/** The policy name of a witness, and the time of its cosignature as stated by the witness (Unix time in seconds). */
export interface ReceiptCosigner {
  readonly name: string
  readonly time: number
}

/** An entry proven to be in the tree of a checkpoint signed by a trusted key. */
export interface ProvenEntry {
  /** The position of the entry, from 1. */
  readonly position: number
  readonly checkpoint: VerifiedCheckpoint
  /** The ids of the given keys that signed the checkpoint; at least one. */
  readonly signedBy: readonly KeyId[]
  /** The witnesses that cosigned, in policy order; empty without a policy. */
  readonly cosignedBy: readonly ReceiptCosigner[]
  /** Whether the cosigning witnesses reach the quorum; null without a policy or with `quorum none`. */
  readonly witnessed: boolean | null
}

/** A validated `ReceiptTrust`. */
export interface CheckedTrust {
  readonly keys: readonly (PublicKey | NoteKey)[]
  /** Verifiers for entry signatures, by key id. */
  readonly verifiers: ReadonlyMap<string, Verifier>
  readonly policy: WitnessPolicy | null
  readonly origin: string | null
  readonly witnesses: readonly PolicyVerifier[]
}

/**
 * The maximum number of public keys, because each key is tried on every entry that does not name its key. A log
 * uses fewer than 64 keys in its lifetime.
 */
const PUBLIC_KEYS_MAX = 64

const OPTIONS = ['publicKeys', 'witnessPolicy', 'origin']

/**
 * Verifies a proof for one entry: a trusted key signed the checkpoint, and the checkpoint's tree contains the
 * entry.
 *
 * @param entryHash - the entry hash. Compute it from the entry content if available; do not read it from the
 *   receipt.
 * @param proof - the proof in C2SP tlog-proof format
 * @throws the errors of `openTlogProof`; CryptoError `CHECKPOINT_INVALID` also if the checkpoint's origin is not a
 *   valid key name, and `ORIGIN_MISMATCH` or `LOG_KEY_MISMATCH` for the wrong log; the errors of `verifyReceipt`
 *   for invalid arguments. A missing quorum does not throw: see `witnessed`.
 */
export function verifyProofOf(entryHash: Hash, proof: Uint8Array | string, trust: ReceiptTrust): ProvenEntry {
  return proveEntry(entryHash, proof, checkTrust(trust))
}

/** Like `verifyProofOf`, with validated trust. All errors are about the proof. */
export function proveEntry(entryHash: Hash, proof: Uint8Array | string, trust: CheckedTrust): ProvenEntry {
  const { policy, witnesses } = trust
  const logs = logVerifiers(unverifiedOriginOf(proof), trust)
  const leaf = leafHash(hexToBytes(entryHash))
  const { index, checkpoint } = openTlogProof(
    proof,
    leaf,
    [...logs.keys()],
    witnesses.map(({ verifier }) => verifier),
  )
  const signedBy = checkpoint.signatures.flatMap(({ verifier }) => logs.get(verifier) ?? [])
  requireLog(checkpoint.origin, signedBy, trust)
  const names = cosignerNames(witnesses, checkpoint.cosignatures)
  return {
    position: index + 1,
    checkpoint,
    signedBy,
    cosignedBy: [...names].map((name) => ({ name, time: timeOf(name, witnesses, checkpoint) })),
    witnessed: policy === null || policy.quorum === null ? null : quorumReached(policy, names),
  }
}

/**
 * Validates the trusted keys and witnesses.
 *
 * @throws TypeError for an unknown option or a `publicKeys` value that is not an array of keys; RangeError for more
 *   than 64 keys; CryptoError `KEY_WRONG_TYPE` for a witness key in `publicKeys`; `POLICY_INVALID` if a witness in
 *   the policy has a log key; the errors of `createVerifier`
 */
export function checkTrust(trust: ReceiptTrust): CheckedTrust {
  if (typeof trust !== 'object' || trust === null) throw new TypeError('options must be an object')
  const foreign = Object.keys(trust).find((name) => !OPTIONS.includes(name))
  if (foreign !== undefined) throw new TypeError(`unknown option \`${foreign}\`; the options are ${OPTIONS.join(', ')}`)
  const { publicKeys, witnessPolicy, origin = null } = trust
  if (origin !== null && typeof origin !== 'string') throw new TypeError('origin must be a string')
  if (!Array.isArray(publicKeys)) throw new TypeError('publicKeys must be an array of keys')
  if (publicKeys.length > PUBLIC_KEYS_MAX) throw new RangeError(`publicKeys must have at most ${PUBLIC_KEYS_MAX} keys`)
  const policy = witnessPolicy ?? null
  const keys: (PublicKey | NoteKey)[] = [...publicKeys, ...(policy?.logs ?? []).map(({ key }) => key)]
  const verifiers = keys.map(verifierOf)
  if (policy !== null) requireOtherWitnesses(policy, keys.map(publicKeyOf))
  return {
    keys,
    origin,
    verifiers: new Map(verifiers.map((verifier) => [verifier.keyId, verifier])),
    policy,
    witnesses: policy === null ? [] : policyVerifiers(policy),
  }
}

function verifierOf(key: PublicKey | NoteKey): Verifier {
  if (typeof key !== 'object' || key === null) throw new TypeError('publicKeys must be an array of keys')
  if (!isNamed(key)) {
    if (!isBytes(key.bytes)) throw new TypeError('publicKeys must be an array of keys')
    return createVerifier(key)
  }
  // Throws for a witness key.
  createNoteVerifier(key)
  return createVerifier(key.publicKey)
}

const publicKeyOf = (key: PublicKey | NoteKey): PublicKey => (isNamed(key) ? key.publicKey : key)

const isNamed = (key: PublicKey | NoteKey): key is NoteKey => 'publicKey' in key && 'keyHash' in key

/**
 * Creates note verifiers for the log with the given origin. The keys were already checked, so only the key hash,
 * which depends on the name, must be computed.
 */
function logVerifiers(origin: string, { keys, verifiers }: CheckedTrust): ReadonlyMap<NoteVerifier, KeyId> {
  if (!isKeyName(origin)) {
    throw new CryptoError('CHECKPOINT_INVALID', 'the origin of the checkpoint is not a valid key name')
  }
  const fitting = keys.filter((key) => !isNamed(key) || key.name === origin).map((key) => publicKeyOf(key).keyId)
  return new Map(
    [...new Set(fitting)].flatMap((keyId) => {
      const verifier = verifiers.get(keyId)
      if (verifier === undefined) return []
      const { keyHash } = createNoteKey(origin, verifier.publicKey)
      return [[{ name: origin, keyHash, verify: verifier.verify }, keyId] as const]
    }),
  )
}

const unverifiedOriginOf = (proof: Uint8Array | string): string =>
  parseCheckpoint(parseNote(parseTlogProof(proof).checkpoint).text).origin

function timeOf(name: string, witnesses: readonly PolicyVerifier[], checkpoint: VerifiedCheckpoint): number {
  const witness = witnesses.find((candidate) => candidate.name === name)
  const cosignature = checkpoint.cosignatures.find(({ verifier }) => verifier === witness?.verifier)
  if (cosignature === undefined) throw new TypeError('the witness has not cosigned the checkpoint')
  return cosignatureTime(cosignature)
}
