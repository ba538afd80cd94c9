// Whose signatures count, entry by entry: pure, and the same for the writer that is about to add an entry and for the verifier that finds it.
//
//   genesis names the first keys → key_added, signed by an active key, adds one → key_retired takes one away → closed ends the ledger
//
// A ledger without a genesis (an older one, or SudoAgent for Python's) says nothing about keys; whoever verifies it brings them.
import { createVerifier, decodeBase64, type Hash, type PublicKey, parsePublicKey } from '@sudoagent/crypto'
import {
  type ControlBlock,
  type KeyAdded,
  type LedgerKey,
  originOf,
  possessionMessage,
  readControl,
} from '../entry/control.js'
import type { LedgerEntry } from '../entry/entry.js'
import { LEDGER_KEYS_MAX } from '../limits.js'

/** A key of the ledger. */
export interface RingKey {
  readonly publicKey: PublicKey
  /** Position of the entry that brought it: the genesis, or the `key_added` behind which it may sign. */
  readonly addedAt: number
  /** Position of the entry behind which it may not sign any more; null while it may. */
  readonly retiredAt: number | null
  /** Id of the key that vouched for it; null for a key of the genesis. */
  readonly addedBy: string | null
}

/** What a ledger has said about itself up to some entry. Never changed in place. */
export interface KeyRing {
  readonly origin: string
  /** Whether the genesis wants every entry signed by a key of the ring. */
  readonly entriesSigned: boolean
  /** Whether the ledger begins with a genesis. */
  readonly hasGenesis: boolean
  readonly keys: ReadonlyMap<string, RingKey>
  /** Position of the entry that closed the ledger. */
  readonly closedAt: number | null
}

/** What the ring needs of an entry. */
export interface RingEntry {
  /** Null for an entry about a call. */
  readonly block: ControlBlock | 'invalid' | null
  readonly entryHash: Hash
  readonly keyId: string | null
}

export const ringEntryOf = (entry: LedgerEntry): RingEntry => ({
  block: entry.event === 'checkpoint' ? readControl(entry) : null,
  entryHash: entry.entry_hash,
  keyId: entry.key_id ?? null,
})

/** The ring behind an entry, and what was wrong with the entry; then the ring is as it was. */
export interface RingStep {
  readonly ring: KeyRing
  readonly problem: string | null
}

/**
 * Takes the next entry. Whether it is signed, and by the key that it names, is for the caller to see to.
 *
 * @param ring null before the first entry
 * @param position the entry's, 1-based
 */
export function stepRing(ring: KeyRing | null, { block, entryHash, keyId }: RingEntry, position: number): RingStep {
  if (ring === null) return begin(block, entryHash)
  if (ring.closedAt !== null) return { ring, problem: `the ledger was closed for good with entry ${ring.closedAt}` }
  if (block === null) return { ring, problem: null }
  const next =
    block === 'invalid' ? 'its content does not fit its kind' : follow(ring, block, keyId ?? undefined, position)
  return typeof next === 'string' ? { ring, problem: next } : { ring: next, problem: null }
}

/** Whether a key may sign the entry that comes next. */
export function mayFollow(ring: KeyRing, keyId: string): boolean {
  return ring.keys.get(keyId)?.retiredAt === null
}

/** Whether a key of the ledger may have signed a checkpoint of `size` entries. The entry that retires it is the last that it may vouch for. */
export function mayVouch({ addedAt, retiredAt }: RingKey, size: number): boolean {
  return addedAt <= size && (retiredAt === null || size <= retiredAt)
}

function begin(block: ControlBlock | 'invalid' | null, entryHash: string): RingStep {
  const old: KeyRing = {
    origin: originOf(null, entryHash),
    entriesSigned: false,
    hasGenesis: false,
    keys: new Map(),
    closedAt: null,
  }
  if (block === null) return { ring: old, problem: null }
  if (block === 'invalid' || block.kind !== 'genesis') {
    return { ring: old, problem: 'it stands at the beginning and is no genesis' }
  }
  const keys = new Map<string, RingKey>()
  for (const key of block.keys) {
    const publicKey = publicKeyOf(key)
    if (publicKey === null || keys.has(key.key_id)) return { ring: old, problem: 'a key of the genesis cannot be used' }
    keys.set(key.key_id, { publicKey, addedAt: 1, retiredAt: null, addedBy: null })
  }
  if (block.entries_signed !== keys.size > 0) {
    return { ring: old, problem: 'the genesis names keys without asking for signatures, or the other way round' }
  }
  const origin = originOf(block.origin, entryHash)
  return {
    ring: { origin, entriesSigned: block.entries_signed, hasGenesis: true, keys, closedAt: null },
    problem: null,
  }
}

/** The ring behind a control entry that is not the first, or why the entry may not be there. */
function follow(ring: KeyRing, block: ControlBlock, signedBy: string | undefined, position: number): KeyRing | string {
  switch (block.kind) {
    case 'genesis':
      return 'a genesis stands at the beginning only'
    case 'closed':
      return block.size === position ? { ...ring, closedAt: position } : 'it names another size than the ledger has'
    case 'key_added':
      return ring.entriesSigned ? addKey(ring, block, signedBy, position) : NO_KEYS
    case 'key_retired':
      return ring.entriesSigned ? retireKey(ring, block.key_id, signedBy, position) : NO_KEYS
  }
}

const NO_KEYS = 'the ledger has no genesis that asks for signatures'

function addKey(ring: KeyRing, block: KeyAdded, signedBy = '', position: number): KeyRing | string {
  const { key, proof_of_possession: proof } = block
  if (!mayFollow(ring, signedBy)) return 'it is not signed by a key that may add one'
  if (ring.keys.has(key.key_id)) return 'the key is on record already'
  if (ring.keys.size >= LEDGER_KEYS_MAX) return `the ledger has ${LEDGER_KEYS_MAX} keys already`
  const publicKey = publicKeyOf(key)
  if (publicKey === null) return 'the new key cannot be used'
  const signature = decodeBase64(proof)
  const message = possessionMessage(ring.origin, signedBy, key.key_id)
  if (signature === null || !createVerifier(publicKey).verify(message, signature)) {
    return 'the new key has not signed for itself'
  }
  const added: RingKey = { publicKey, addedAt: position, retiredAt: null, addedBy: signedBy }
  return { ...ring, keys: new Map(ring.keys).set(key.key_id, added) }
}

function retireKey(ring: KeyRing, keyId: string, signedBy = '', position: number): KeyRing | string {
  if (!mayFollow(ring, signedBy)) return 'it is not signed by a key that may retire one'
  const key = ring.keys.get(keyId)
  if (key === undefined) return 'the key is not on record'
  if (key.retiredAt !== null) return 'the key is retired already'
  const active = [...ring.keys.values()].filter(({ retiredAt }) => retiredAt === null)
  if (active.length === 1) return 'it is the last key, and nobody could sign any more'
  return { ...ring, keys: new Map(ring.keys).set(keyId, { ...key, retiredAt: position }) }
}

/** The key behind a PEM that must be its own; null when it is not. */
function publicKeyOf({ key_id: keyId, pem }: LedgerKey): PublicKey | null {
  try {
    const key = parsePublicKey(pem)
    return key.keyId === keyId && key.pem === pem ? key : null
  } catch {
    return null
  }
}
