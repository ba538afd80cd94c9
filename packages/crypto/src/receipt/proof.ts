/**
 * Verifies the path from the hash of an entry to a checkpoint that is signed by a trusted key. This is the evidence
 * in a receipt.
 *
 * A public key without a name is trusted for any log; the name of the log, the checkpoint's origin, is then part of
 * the result and must be checked by the caller. A key with a name (a vkey) is trusted only for the log with that
 * name.
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
  /** Keys of the log and of its entries; at most 64. Several while a key is being replaced. */
  readonly publicKeys: readonly (PublicKey | NoteKey)[]
  /**
   * The quorum of this policy must have cosigned. The logs that it lists are trusted as if they were among
   * `publicKeys`; if it lists any, the checkpoint must be of one of them and signed by its key.
   */
  readonly witnessPolicy?: WitnessPolicy | undefined
  /** The origin of the expected log. Default: any log for which a given key has signed. */
  readonly origin?: string | undefined
}

/** A witness's name in the policy, and the time of its signature according to the witness: seconds since 1970. */
export interface ReceiptCosigner {
  readonly name: string
  readonly time: number
}

/** An entry in the tree of a checkpoint that is signed by a trusted key. */
export interface ProvenEntry {
  /** The position of the entry, from 1. */
  readonly position: number
  readonly checkpoint: VerifiedCheckpoint
  /** The given keys that signed the checkpoint; at least one. */
  readonly signedBy: readonly KeyId[]
  /** In the order of the policy; empty without one. */
  readonly cosignedBy: readonly ReceiptCosigner[]
  /** Whether the witnesses reach the policy's quorum; null without a policy or with `quorum none`. */
  readonly witnessed: boolean | null
}

/** A validated `ReceiptTrust`. */
export interface CheckedTrust {
  readonly keys: readonly (PublicKey | NoteKey)[]
  /** For signatures of entries. */
  readonly verifiers: ReadonlyMap<string, Verifier>
  readonly policy: WitnessPolicy | null
  readonly origin: string | null
  readonly witnesses: readonly PolicyVerifier[]
}

/** Each key is tried on every entry that does not name its key; 64 is more than a log has in its lifetime. */
const PUBLIC_KEYS_MAX = 64

const OPTIONS = ['publicKeys', 'witnessPolicy', 'origin']

/**
 * Verifies a proof for one entry: the checkpoint is signed by a trusted key, and its tree contains the entry.
 *
 * @param entryHash - computed from the entry's content if available, not read from the receipt
 * @param proof - in C2SP tlog-proof format
 * @throws CryptoError as `openTlogProof`, also with `CHECKPOINT_INVALID` when the checkpoint's origin is not a
 *   valid key name; errors of `verifyReceipt` for invalid arguments. A missing quorum does not throw: see
 *   `witnessed`.
 */
export function verifyProofOf(entryHash: Hash, proof: Uint8Array | string, trust: ReceiptTrust): ProvenEntry {
  return proveEntry(entryHash, proof, checkTrust(trust))
}

/** Like `verifyProofOf`, with validated trust. Errors are always about the proof. */
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
 * @throws TypeError for an unknown option or a value that is not a list of keys, RangeError for more than 64 keys,
 *   CryptoError `KEY_WRONG_TYPE` for a witness's key among them, `POLICY_INVALID` for a witness whose key is one of
 *   them, and errors of `createVerifier`
 */
export function checkTrust(trust: ReceiptTrust): CheckedTrust {
  if (typeof trust !== 'object' || trust === null) throw new TypeError('options must be an object')
  const foreign = Object.keys(trust).find((name) => !OPTIONS.includes(name))
  if (foreign !== undefined) throw new TypeError(`unknown option \`${foreign}\`; the options are ${OPTIONS.join(', ')}`)
  const { publicKeys, witnessPolicy, origin = null } = trust
  if (origin !== null && typeof origin !== 'string') throw new TypeError('origin must be a string')
  if (!Array.isArray(publicKeys)) throw new TypeError('publicKeys must be a list of keys')
  if (publicKeys.length > PUBLIC_KEYS_MAX) throw new RangeError(`more than ${PUBLIC_KEYS_MAX} public keys`)
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
  if (typeof key !== 'object' || key === null) throw new TypeError('publicKeys must be a list of keys')
  if (!isNamed(key)) {
    if (!isBytes(key.bytes)) throw new TypeError('publicKeys must be a list of keys')
    return createVerifier(key)
  }
  // Throws for the key of a witness.
  createNoteVerifier(key)
  return createVerifier(key.publicKey)
}

const publicKeyOf = (key: PublicKey | NoteKey): PublicKey => (isNamed(key) ? key.publicKey : key)

const isNamed = (key: PublicKey | NoteKey): key is NoteKey => 'publicKey' in key && 'keyHash' in key

/**
 * The given keys with the name of one log. They were already checked: only the key hash, which depends on the name,
 * is new.
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
  if (cosignature === undefined) throw new TypeError('the witness has not signed')
  return cosignatureTime(cosignature)
}
