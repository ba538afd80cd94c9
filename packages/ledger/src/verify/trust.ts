// Whose signatures count, while a ledger is walked through.
//
// Where the genesis wants every entry signed, the ledger's own keys are the only ones that may sign (`key-ring.ts`), and each for its time. When
// the caller gave keys, the signer must be trusted, too: given, or added to the ledger by a key that was trusted then. A ledger without such a
// genesis is held against the given keys alone, or against none.
import {
  createNoteVerifier,
  createVerifier,
  decodeBase64,
  type NoteKey,
  type PublicKey,
  type Verifier,
} from '@sudoagent/crypto'
import type { ReportFinding } from '../entry/finding.js'
import { PUBLIC_KEYS_MAX } from '../limits.js'
import { type KeyRing, mayVouch, stepRing } from '../rules/key-ring.js'
import type { CallFacts, ControlFacts } from '../rules/line-facts.js'
import { isSignedBy } from '../rules/succession.js'

/** An entry that can be read. */
export type EntryFacts = CallFacts | ControlFacts

/** What an earlier run knew. */
export interface KnownTrust {
  readonly ring: KeyRing
  /** Ids of the keys that were trusted. */
  readonly trusted: readonly string[]
}

/** A key that a caller gives: of any log, or of the log whose name it has. */
export type GivenKey = PublicKey | NoteKey

export const publicKeyOf = (key: GivenKey): PublicKey => (isNamed(key) ? key.publicKey : key)

const isNamed = (key: GivenKey): key is NoteKey => 'publicKey' in key && 'keyHash' in key

export class Trust {
  readonly #given: Map<string, PublicKey>
  readonly #trusted: Set<string>
  /** For given keys with names: the logs that each is trusted for. A key without a name is trusted for any. */
  readonly #namesOf = new Map<string, readonly string[]>()
  #isOfOtherLogs = false
  readonly #verifiers = new Map<string, Verifier>()
  #ring: KeyRing | null
  #isBegun: boolean
  #isClosedTold = false
  /** Whether a signature has verified so far. */
  #hasVerified = false

  /** @throws RangeError for more than 64 keys; CryptoError for a key that is none, or that of a witness */
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

  /** What the ledger has said about itself; null before the first entry, and for good when that cannot be read. */
  get ring(): KeyRing | null {
    return this.#ring
  }

  /** Whether the genesis wants every entry signed. */
  get isRequired(): boolean {
    return this.#ring?.entriesSigned === true
  }

  get given(): readonly string[] {
    return [...this.#given.keys()].sort()
  }

  get trusted(): readonly string[] {
    return [...this.#trusted].sort()
  }

  /** Every key that may turn up: the given ones and the ledger's. */
  get keys(): readonly PublicKey[] {
    const own = [...(this.#ring?.keys ?? [])].map(([id, { publicKey }]) => [id, publicKey] as const)
    return [...new Map([...own, ...this.#given]).values()]
  }

  /** Whether keys were given, and each of them under the name of another log. */
  get isOfOtherLogs(): boolean {
    return this.#isOfOtherLogs
  }

  /** A key under a name is trusted for the log of that name and for no other. */
  #bindTo(origin: string): void {
    const count = this.#given.size
    for (const [keyId, names] of this.#namesOf) {
      if (names.includes(origin)) continue
      this.#given.delete(keyId)
      this.#trusted.delete(keyId)
    }
    this.#isOfOtherLogs = count > 0 && this.#given.size === 0
  }

  /** Passes over an entry that cannot be read. When it was the first, the ledger's name and keys are not known. */
  skip(): void {
    this.#isBegun = true
  }

  /**
   * Judges the next entry's signature and what it says about keys, and learns from it.
   *
   * @returns whether it is signed by a trusted key: never without given keys
   */
  judge(entry: EntryFacts, position: number, find: ReportFinding): boolean {
    const before = this.#ring
    if (before === null && this.#isBegun) return this.#judgeSignature(entry, null, find)
    this.#isBegun = true
    if (before !== null && before.closedAt !== null) {
      if (!this.#isClosedTold)
        find('ENTRY_AFTER_CLOSED', `the ledger was closed for good with entry ${before.closedAt}`)
      this.#isClosedTold = true
      return this.#judgeSignature(entry, before, find)
    }
    if (before !== null && entry.kind === 'call') return this.#judgeSignature(entry, before, find)
    const { entryHash, keyId } = entry
    const block = entry.kind === 'control' ? entry.block : null
    const { ring, problem } = stepRing(before, { block, entryHash, keyId }, position)
    if (before === null) this.#bindTo(ring.origin)
    // A genesis names its own keys. Every other entry must be signed by a key that was there before it.
    const isTrusted = this.#judgeSignature(entry, before ?? ring, find)
    if (problem !== null) find('CONTROL_INVALID', `the control entry does not hold: ${problem}`)
    if (isTrusted) this.#endorse(before, ring)
    this.#ring = ring
    return isTrusted
  }

  /**
   * The keys under which the signature of any entry about a call would pass, as things stand; `unasked` when signatures are not looked at; null
   * when no entry would pass. They stay the same as long as `ring` does.
   */
  plainSigners(): readonly PublicKey[] | 'unasked' | null {
    if (!this.#isBegun || this.#ring?.closedAt != null) return null
    if (!this.isRequired) return this.#given.size === 0 ? 'unasked' : [...this.#given.values()]
    return [...(this.#ring?.keys ?? [])]
      .filter(([id, { retiredAt }]) => retiredAt === null && this.#isTrusted(id))
      .map(([, { publicKey }]) => publicKey)
  }

  /** Whether an entry that one of these has signed counts as signed by a trusted key: never without given keys. */
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

  /** Trusts the keys that a trusted key has just added. Those of a genesis are trusted when they were given, and not before. */
  #endorse(before: KeyRing | null, ring: KeyRing): void {
    for (const [id, { addedBy }] of ring.keys) {
      if (addedBy !== null && before?.keys.has(id) === false) this.#trusted.add(id)
    }
  }

  #judgeSignature(entry: EntryFacts, ring: KeyRing | null, find: ReportFinding): boolean {
    const own = ring?.entriesSigned === true ? ring : null
    if (own === null && this.#given.size === 0) return false
    const { signature, keyId, entryHash } = entry
    if (signature === null) {
      find('SIGNATURE_MISSING', 'entry is not signed')
      return false
    }
    const candidates = this.#candidates(own, keyId)
    if (candidates.length === 0) {
      // A key of the ledger that is not trusted still shows that a signature was changed.
      const named = keyId === null ? undefined : own?.keys.get(keyId)?.publicKey
      if (named !== undefined && !isSignedBy(this.#verifierOf(named), entryHash, signature))
        find('SIGNATURE_INVALID', 'entry_signature does not verify')
      else find('KEY_UNKNOWN', strangerMessage(own, keyId))
      return false
    }
    const signer = candidates.find((key) => isSignedBy(this.#verifierOf(key), entryHash, signature))
    if (signer === undefined) {
      // Nothing names the key of this entry: only if a given key has signed another one should it have signed this one.
      if (keyId === null && !this.#hasVerified && decodeBase64(signature)?.length === SIGNATURE_BYTES)
        find('KEY_UNKNOWN', 'entry does not name its key, and none of the given keys has signed it')
      else find('SIGNATURE_INVALID', 'entry_signature does not verify')
      return false
    }
    this.#hasVerified = true
    const retiredAt = own?.keys.get(signer.keyId)?.retiredAt ?? null
    if (retiredAt !== null)
      find('KEY_RETIRED', `entry is signed by key \`${signer.keyId}\`, which was retired with entry ${retiredAt}`)
    return retiredAt === null && this.#given.size > 0
  }

  /** The keys that may have signed an entry. Python does not name its key: then any of them may fit. */
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
  if (keyId === null) return 'entry does not name its key, and none that was given is a key of this ledger'
  if (own === null) return `entry is signed by key \`${keyId}\`, which was not given`
  return own.keys.has(keyId)
    ? `entry is signed by key \`${keyId}\`, which was neither given nor added by a key that was`
    : `entry is signed by key \`${keyId}\`, which is no key of this ledger`
}

/** Of Ed25519. */
const SIGNATURE_BYTES = 64
