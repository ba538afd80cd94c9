// Decides which signatures count during a walk.
//
// If the genesis requires signatures, only the ledger's own keys may sign, each during its lifetime (`key-ring.ts`).
// If the caller gave keys, the signer must also be trusted: either the caller gave the signer's key, or a key that
// was trusted at the time added the signer's key. The signatures of a ledger without such a genesis are checked with
// the given keys only, or not at all.

import { createVerifier, type PublicKey, type Verifier } from '@sudoagent/crypto'
import { decodeBase64 } from '@sudoagent/crypto/bytes'
import { createNoteVerifier, type NoteKey } from '@sudoagent/crypto/note'
import type { ReportFinding } from '../entry/finding.js'
import { PUBLIC_KEYS_MAX } from '../limits.js'
import { type KeyRing, mayVouch, stepRing } from '../rules/key-ring.js'
import type { CallFacts, ControlFacts } from '../rules/line-facts.js'
import { isSignedBy } from '../rules/succession.js'

/** A readable entry. */
export type EntryFacts = CallFacts | ControlFacts

/** The state of an earlier run. */
export interface KnownTrust {
  readonly ring: KeyRing
  /** Ids of the trusted keys. */
  readonly trusted: readonly string[]
}

/**
 * A key that the caller gives: a plain key, which is trusted for any log, or a named key, which is trusted for the
 * log with that name.
 */
export type GivenKey = PublicKey | NoteKey

export const publicKeyOf = (key: GivenKey): PublicKey => (isNamed(key) ? key.publicKey : key)

const isNamed = (key: GivenKey): key is NoteKey => 'publicKey' in key && 'keyHash' in key

export class Trust {
  readonly #given: Map<string, PublicKey>
  readonly #trusted: Set<string>
  /** The log names of each given named key. A key without a name is trusted for any log. */
  readonly #namesOf = new Map<string, readonly string[]>()
  #isOfOtherLogs = false
  readonly #verifiers = new Map<string, Verifier>()
  #ring: KeyRing | null
  #isBegun: boolean
  #isClosedTold = false
  /** Whether at least one signature has been valid so far. */
  #hasVerified = false

  /** @throws RangeError for more than 64 keys; CryptoError for an invalid key or a witness key */
  constructor(given: readonly GivenKey[], known: KnownTrust | null = null) {
    if (given.length > PUBLIC_KEYS_MAX) throw new RangeError(`more than ${PUBLIC_KEYS_MAX} public keys`)
    const publicKeys = given.map(publicKeyOf)
    for (const key of given) if (isNamed(key)) createNoteVerifier(key)
    this.#given = new Map(publicKeys.map((key) => [key.keyId, key]))
    for (const { keyId } of publicKeys) {
      const same = given.filter((key) => publicKeyOf(key).keyId === keyId)
      if (same.every(isNamed))
        this.#namesOf.set(
          keyId,
          same.map((key) => key.name),
        )
    }
    this.#trusted = new Set([...this.#given.keys(), ...(known?.trusted ?? [])])
    this.#ring = known?.ring ?? null
    this.#isBegun = known !== null
    for (const key of publicKeys) this.#verifierOf(key)
    if (known !== null) this.#bindTo(known.ring.origin)
  }

  /**
   * The keys, origin and state that the ledger has declared so far; null before the first entry, and always null if
   * the first entry is unreadable.
   */
  get ring(): KeyRing | null {
    return this.#ring
  }

  /** Whether the genesis requires a signature on every entry. */
  get isRequired(): boolean {
    return this.#ring?.entriesSigned === true
  }

  get given(): readonly string[] {
    return [...this.#given.keys()].sort()
  }

  get trusted(): readonly string[] {
    return [...this.#trusted].sort()
  }

  /** All keys that may have signed: the given keys and the ledger's own keys. */
  get keys(): readonly PublicKey[] {
    const own = [...(this.#ring?.keys ?? [])].map(([id, { publicKey }]) => [id, publicKey] as const)
    return [...new Map([...own, ...this.#given]).values()]
  }

  /** Whether keys were given, but every given key is named after a log other than this ledger. */
  get isOfOtherLogs(): boolean {
    return this.#isOfOtherLogs
  }

  /** Removes given keys that are named after a different log. */
  #bindTo(origin: string): void {
    const count = this.#given.size
    for (const [keyId, names] of this.#namesOf) {
      if (names.includes(origin)) continue
      this.#given.delete(keyId)
      this.#trusted.delete(keyId)
    }
    this.#isOfOtherLogs = count > 0 && this.#given.size === 0
  }

  /** Skips an unreadable entry. If the first entry is unreadable, the origin and the keys remain unknown. */
  skip(): void {
    this.#isBegun = true
  }

  /**
   * Checks the signature of the next entry, and applies a control entry to the ring.
   *
   * @returns whether the entry is signed by a trusted key; always false without given keys
   */
  judge(entry: EntryFacts, position: number, find: ReportFinding): boolean {
    const before = this.#ring
    if (before === null && this.#isBegun) return this.#checkSignature(entry, null, find)
    this.#isBegun = true
    if (before !== null && before.closedAt !== null) {
      if (!this.#isClosedTold) find('ENTRY_AFTER_CLOSED', `the ledger was closed by entry ${before.closedAt}`)
      this.#isClosedTold = true
      return this.#checkSignature(entry, before, find)
    }
    if (before !== null && entry.kind === 'call') return this.#checkSignature(entry, before, find)
    const { entryHash, keyId } = entry
    const block = entry.kind === 'control' ? entry.block : null
    const { ring, problem } = stepRing(before, { block, entryHash, keyId }, position)
    if (before === null) this.#bindTo(ring.origin)
    // The genesis itself lists the keys that may sign it. Any other entry must be signed by an earlier key.
    const isTrusted = this.#checkSignature(entry, before ?? ring, find)
    if (problem !== null) find('CONTROL_INVALID', `invalid control entry: ${problem}`)
    if (isTrusted) this.#endorse(before, ring)
    this.#ring = ring
    return isTrusted
  }

  /**
   * The keys whose signature on a call entry would be accepted now; `unasked` if signatures are not checked; null if
   * no entry would be accepted. The result is valid until `ring` changes.
   */
  plainSigners(): readonly PublicKey[] | 'unasked' | null {
    if (!this.#isBegun || this.#ring?.closedAt != null) return null
    if (!this.isRequired) return this.#given.size === 0 ? 'unasked' : [...this.#given.values()]
    return [...(this.#ring?.keys ?? [])]
      .filter(([id, { retiredAt }]) => retiredAt === null && this.#isTrusted(id))
      .map(([, { publicKey }]) => publicKey)
  }

  /** Whether entries signed by one of these keys count as signed by a trusted key; false without given keys. */
  get isAnyTrusted(): boolean {
    return this.#given.size > 0
  }

  /** Whether a key may have signed a checkpoint of `size` entries. */
  vouches(keyId: string, size: number): 'yes' | 'retired' | 'no' {
    if (!this.isRequired) return this.#given.has(keyId) ? 'yes' : 'no'
    const key = this.#ring?.keys.get(keyId)
    if (key === undefined || key.addedAt > size || !this.#isTrusted(keyId)) return 'no'
    return mayVouch(key, size) ? 'yes' : 'retired'
  }

  #isTrusted(keyId: string): boolean {
    return this.#given.size === 0 || this.#trusted.has(keyId)
  }

  /** Trusts the keys that a trusted key has just added. Keys in a genesis are trusted only if the caller gave them. */
  #endorse(before: KeyRing | null, ring: KeyRing): void {
    for (const [id, { addedBy }] of ring.keys) {
      if (addedBy !== null && before?.keys.has(id) === false) this.#trusted.add(id)
    }
  }

  #checkSignature(entry: EntryFacts, ring: KeyRing | null, find: ReportFinding): boolean {
    const own = ring?.entriesSigned === true ? ring : null
    if (own === null && this.#given.size === 0) return false
    const { signature, keyId, entryHash } = entry
    if (signature === null) {
      find('SIGNATURE_MISSING', 'entry is not signed')
      return false
    }
    const candidates = this.#candidates(own, keyId)
    if (candidates.length === 0) {
      // The ledger's own key is not trusted here, but it suffices to show that the signature is wrong.
      const named = keyId === null ? undefined : own?.keys.get(keyId)?.publicKey
      if (named !== undefined && !isSignedBy(this.#verifierOf(named), entryHash, signature))
        find('SIGNATURE_INVALID', 'entry_signature does not verify')
      else find('KEY_UNKNOWN', strangerMessage(own, keyId))
      return false
    }
    const signer = candidates.find((key) => isSignedBy(this.#verifierOf(key), entryHash, signature))
    if (signer === undefined) {
      // The entry does not name its key. The finding is SIGNATURE_INVALID only if a given key has signed
      // another entry.
      if (keyId === null && !this.#hasVerified && decodeBase64(signature)?.length === SIGNATURE_BYTES)
        find('KEY_UNKNOWN', 'entry without a key id: no given key signed it')
      else find('SIGNATURE_INVALID', 'entry_signature does not verify')
      return false
    }
    this.#hasVerified = true
    const retiredAt = own?.keys.get(signer.keyId)?.retiredAt ?? null
    if (retiredAt !== null)
      find('KEY_RETIRED', `key \`${signer.keyId}\` was retired: its signatures after entry ${retiredAt} are invalid`)
    return retiredAt === null && this.#given.size > 0
  }

  /**
   * The keys that may have signed an entry. Entries of SudoAgent for Python do not name a key, so every key is a
   * candidate.
   */
  #candidates(own: KeyRing | null, keyId: string | null): readonly PublicKey[] {
    const named = (id: string): boolean => keyId === null || id === keyId
    if (own === null) return [...this.#given.values()].filter(({ keyId: id }) => named(id))
    return [...own.keys].filter(([id]) => named(id) && this.#isTrusted(id)).map(([, { publicKey }]) => publicKey)
  }

  #verifierOf(key: PublicKey): Verifier {
    const known = this.#verifiers.get(key.keyId)
    if (known !== undefined) return known
    const verifier = createVerifier(key)
    this.#verifiers.set(key.keyId, verifier)
    return verifier
  }
}

function strangerMessage(own: KeyRing | null, keyId: string | null): string {
  if (keyId === null) return 'entry without a key id: no given key is a key of this ledger'
  if (own === null) return `entry is signed by key \`${keyId}\`, which was not given`
  return own.keys.has(keyId)
    ? `entry is signed by key \`${keyId}\`, which was neither given nor added by a given key`
    : `entry is signed by key \`${keyId}\`, which is not a key of this ledger`
}

/** Length of an Ed25519 signature. */
const SIGNATURE_BYTES = 64
