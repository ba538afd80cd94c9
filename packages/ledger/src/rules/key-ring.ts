// Tracks the keys that may sign, entry by entry. The functions are pure. The verifier uses these functions, and the
// writer uses them before it adds an entry.
//
//   genesis lists the first keys → key_added, signed by an active key, adds a key → key_retired retires a key → closed
//
// A ledger without a genesis (an older ledger, or a ledger of SudoAgent for Python) does not declare keys; the caller
// of `verify` provides them.
import { createVerifier, type Hash, type PublicKey, parsePublicKey } from '@sudoagent/crypto'
import { decodeBase64 } from '@sudoagent/crypto/bytes'
import {
  type ControlBlock,
  type InvalidControl,
  type KeyAdded,
  type LedgerKey,
  originOf,
  possessionMessage,
  type RingBlock,
  readControl,
} from '../entry/control.js'
import type { LedgerEntry } from '../entry/entry.js'
import { LEDGER_KEYS_MAX } from '../limits.js'

/** A ledger key. */
export interface RingKey {
  readonly publicKey: PublicKey
  /** Position of the entry that added the key: the genesis or a `key_added` entry. */
  readonly addedAt: number
  /** Position of the entry that retired the key; null while it is active. */
  readonly retiredAt: number | null
  /** Id of the key that signed the `key_added` entry; null for a key in the genesis. */
  readonly addedBy: string | null
}

/** The keys, origin and state of a ledger after a given entry. Immutable. */
export interface KeyRing {
  readonly origin: string
  /** Whether the genesis requires every entry to be signed by a key of the ring. */
  readonly entriesSigned: boolean
  /** Whether the first entry is a genesis. */
  readonly hasGenesis: boolean
  readonly keys: ReadonlyMap<string, RingKey>
  /** Position of the `closed` entry; null while the ledger is open. */
  readonly closedAt: number | null
}

/** The part of an entry that affects the ring. */
export interface RingEntry {
  /** Null for a decision, an outcome, or a control entry of a kind that this version does not know. */
  readonly block: ControlBlock | InvalidControl | null
  readonly entryHash: Hash
  readonly keyId: string | null
}

export const ringEntryOf = (entry: LedgerEntry): RingEntry => ({
  block: entry.event === 'checkpoint' ? readControl(entry) : null,
  entryHash: entry.entry_hash,
  keyId: entry.key_id ?? null,
})

type AnyBlock = ControlBlock | InvalidControl

/** Whether a block concerns the keys or the ledger as a whole; the other blocks are left to `standing/`. */
export function isRingBlock(block: AnyBlock): block is RingBlock | InvalidControl {
  const kind = block.kind === 'invalid' ? block.of : block.kind
  return kind !== 'stop' && kind !== 'resume' && kind !== 'asked'
}

/** The ring after an entry. If the entry has a problem, the ring is unchanged. */
export interface RingStep {
  readonly ring: KeyRing
  readonly problem: string | null
}

/**
 * Applies the next entry to the ring. The caller checks the signature.
 *
 * @param ring - null before the first entry
 * @param position - 1-based position of the entry
 */
export function stepRing(ring: KeyRing | null, { block, entryHash, keyId }: RingEntry, position: number): RingStep {
  if (ring === null) return begin(block, entryHash)
  if (ring.closedAt !== null) return { ring, problem: `the ledger was closed by entry ${ring.closedAt}` }
  if (block === null || !isRingBlock(block)) return { ring, problem: null }
  const next =
    block.kind === 'invalid' ? 'its content does not match its kind' : follow(ring, block, keyId ?? undefined, position)
  return typeof next === 'string' ? { ring, problem: next } : { ring: next, problem: null }
}

/** Whether a key may sign the next entry. */
export function mayFollow(ring: KeyRing, keyId: string): boolean {
  return ring.keys.get(keyId)?.retiredAt === null
}

/**
 * Whether a ledger key may have signed a checkpoint of `size` entries. A retired key may sign checkpoints up to the
 * entry that retires the key.
 */
export function mayVouch({ addedAt, retiredAt }: RingKey, size: number): boolean {
  return addedAt <= size && (retiredAt === null || size <= retiredAt)
}

function begin(block: AnyBlock | null, entryHash: string): RingStep {
  const old: KeyRing = {
    origin: originOf(null, entryHash),
    entriesSigned: false,
    hasGenesis: false,
    keys: new Map(),
    closedAt: null,
  }
  if (block === null) return { ring: old, problem: null }
  if (block.kind !== 'genesis') {
    return { ring: old, problem: 'the first entry must be a genesis entry' }
  }
  const keys = new Map<string, RingKey>()
  for (const key of block.keys) {
    const publicKey = publicKeyOf(key)
    if (publicKey === null || keys.has(key.key_id))
      return { ring: old, problem: 'a key of the genesis entry is invalid' }
    keys.set(key.key_id, { publicKey, addedAt: 1, retiredAt: null, addedBy: null })
  }
  if (block.entries_signed !== keys.size > 0) {
    return { ring: old, problem: 'the genesis entry must list keys if and only if it requires signatures' }
  }
  const origin = originOf(block.origin, entryHash)
  return {
    ring: { origin, entriesSigned: block.entries_signed, hasGenesis: true, keys, closedAt: null },
    problem: null,
  }
}

/** Returns the ring after a control entry other than the first entry, or the reason why the entry is not allowed. */
function follow(ring: KeyRing, block: RingBlock, signedBy: string | undefined, position: number): KeyRing | string {
  switch (block.kind) {
    case 'genesis':
      return 'only the first entry can be a genesis entry'
    case 'closed':
      return block.size === position
        ? { ...ring, closedAt: position }
        : 'its `size` does not match the number of entries'
    case 'key_added':
      return ring.entriesSigned ? addKey(ring, block, signedBy, position) : NO_KEYS
    case 'key_retired':
      return ring.entriesSigned ? retireKey(ring, block.key_id, signedBy, position) : NO_KEYS
  }
}

const NO_KEYS = 'the ledger has no genesis entry that requires signatures'

function addKey(ring: KeyRing, block: KeyAdded, signedBy = '', position: number): KeyRing | string {
  const { key, proof_of_possession: proof } = block
  if (!mayFollow(ring, signedBy)) return 'it is not signed by an active key of the ledger'
  if (ring.keys.has(key.key_id)) return 'the ledger already has this key'
  if (ring.keys.size >= LEDGER_KEYS_MAX) return `the ledger already has ${LEDGER_KEYS_MAX} keys`
  const publicKey = publicKeyOf(key)
  if (publicKey === null) return 'the new key is invalid'
  const signature = decodeBase64(proof)
  const message = possessionMessage(ring.origin, signedBy, key.key_id)
  if (signature === null || !createVerifier(publicKey).verify(message, signature)) {
    return 'the proof of possession of the new key is invalid'
  }
  const added: RingKey = { publicKey, addedAt: position, retiredAt: null, addedBy: signedBy }
  return { ...ring, keys: new Map(ring.keys).set(key.key_id, added) }
}

function retireKey(ring: KeyRing, keyId: string, signedBy = '', position: number): KeyRing | string {
  if (!mayFollow(ring, signedBy)) return 'it is not signed by an active key of the ledger'
  const key = ring.keys.get(keyId)
  if (key === undefined) return 'the ledger does not have this key'
  if (key.retiredAt !== null) return 'the key is already retired'
  const active = [...ring.keys.values()].filter(({ retiredAt }) => retiredAt === null)
  if (active.length === 1) return 'the last active key cannot be retired'
  return { ...ring, keys: new Map(ring.keys).set(keyId, { ...key, retiredAt: position }) }
}

/** Parses a ledger key; null if the PEM is invalid, is not canonical, or has a different key id. */
function publicKeyOf({ key_id: keyId, pem }: LedgerKey): PublicKey | null {
  try {
    const key = parsePublicKey(pem)
    return key.keyId === keyId && key.pem === pem ? key : null
  } catch {
    return null
  }
}
