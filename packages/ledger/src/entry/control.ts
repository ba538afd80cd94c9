// Control entries (LEDGER-FORMAT §5): what the ledger says about itself, in the same chain and tree as the calls.
//
//   {"checkpoint":{"entries_signed":true,"keys":[{"key_id":"8708…","pem":"-----BEGIN PUBLIC KEY-----…"}],"kind":"genesis","ledger_id":"…",
//    "origin":null,"software":{"name":"@sudoagent/ledger","version":"0.1.0"}},"created_at":"…","entry_hash":"…","event":"checkpoint",…}
//
// This file knows their shape. Whether what they say is allowed is for `key-ring.ts`.
import { encodeBase64, isKeyName, type Signer } from '@sudoagent/crypto'
import { LEDGER_KEYS_MAX, NAME_LENGTH_MAX, ORIGIN_BYTES_MAX } from '../limits.js'
import type { CheckpointEntry } from './entry.js'

/** A key as the ledger carries it. */
export interface LedgerKey {
  readonly key_id: string
  /** SPKI. */
  readonly pem: string
}

/** The first entry of every ledger made by this package. */
export interface Genesis {
  readonly kind: 'genesis'
  /** UUIDv4: tells two ledgers of the same key apart. */
  readonly ledger_id: string
  /** The log's name for good; null when it is made of this entry's hash (`originOf`). */
  readonly origin: string | null
  /** Whether every entry must be signed, this one included. */
  readonly entries_signed: boolean
  /** The keys that may sign from the start; none when entries are not signed. */
  readonly keys: readonly LedgerKey[]
  readonly software: { readonly name: string; readonly version: string }
}

/** A new key may sign from here on. The entry itself is signed by an old one. */
export interface KeyAdded {
  readonly kind: 'key_added'
  readonly key: LedgerKey
  /** Base64 of the new key's signature over `possessionMessage`: whoever adds a key holds it. */
  readonly proof_of_possession: string
}

/** A key may not sign any more. The entry itself may be its last. */
export interface KeyRetired {
  readonly kind: 'key_retired'
  readonly key_id: string
}

/** The last entry: nothing may follow. */
export interface Closed {
  readonly kind: 'closed'
  /** Entries of the ledger, this one included. */
  readonly size: number
}

export type ControlBlock = Genesis | KeyAdded | KeyRetired | Closed

/** What a writer hands over for a control entry. */
export interface ControlDraft {
  readonly event: 'checkpoint'
  readonly created_at: string
  readonly checkpoint: ControlBlock
}

const DEFAULT_ORIGIN = 'sudoagent.dev/ledger/'

/** The name of a log: the one that its genesis gives, or one made of the hash of its first entry. */
export function originOf(given: string | null, firstEntryHash: string): string {
  return given ?? `${DEFAULT_ORIGIN}${firstEntryHash.slice(0, 32)}`
}

/** Whether a text can be the origin of a ledger: the name of a key, as notes have them, of at most 255 bytes. */
export function isOrigin(text: unknown): text is string {
  return isKeyName(text) && Buffer.byteLength(text) <= ORIGIN_BYTES_MAX && text.normalize('NFC') === text
}

/** What a new key signs to prove that whoever adds it holds it: for this ledger, after this old key, and nothing else. */
export function possessionMessage(origin: string, oldKeyId: string, newKeyId: string): Uint8Array {
  return new TextEncoder().encode(`sudoagent/key_added/v1\n${origin}\n${oldKeyId}\n${newKeyId}\n`)
}

/** The block that adds a key. @throws whatever the new key's signer throws */
export async function makeKeyAdded(origin: string, oldKeyId: string, signer: Signer): Promise<KeyAdded> {
  const signature = await signer.sign(possessionMessage(origin, oldKeyId, signer.keyId))
  return {
    kind: 'key_added',
    key: { key_id: signer.keyId, pem: signer.publicKey.pem },
    proof_of_possession: encodeBase64(signature),
  }
}

type Fields = { readonly [field: string]: unknown }

/**
 * What a control entry says.
 *
 * @returns null for a kind that this version does not know (a later one may), `invalid` for a known kind of another shape
 */
export function readControl(entry: CheckpointEntry): ControlBlock | 'invalid' | null {
  const block: unknown = entry.checkpoint
  if (!isFields(block)) return null
  const kind = own(block, 'kind')
  const fits = typeof kind === 'string' && Object.hasOwn(FITS, kind) ? FITS[kind as ControlBlock['kind']] : undefined
  if (fits === undefined) return null
  return fits(block) && entry.created_at !== undefined ? (block as unknown as ControlBlock) : 'invalid'
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const own = (fields: Fields, name: string): unknown => (Object.hasOwn(fields, name) ? fields[name] : undefined)
const isText = (value: unknown, lengthMax: number): value is string =>
  typeof value === 'string' && value.length > 0 && value.length <= lengthMax
const isKeyId = (value: unknown): value is string => typeof value === 'string' && /^[0-9a-f]{16}$/.test(value)
/** A PEM of an Ed25519 key has 113 characters. */
const isLedgerKey = (value: unknown): boolean =>
  isFields(value) && isKeyId(own(value, 'key_id')) && isText(own(value, 'pem'), 512)

const FITS: { readonly [kind in ControlBlock['kind']]: (block: Fields) => boolean } = {
  genesis(block) {
    const [origin, keys, software] = [own(block, 'origin'), own(block, 'keys'), own(block, 'software')]
    return (
      isText(own(block, 'ledger_id'), 64) &&
      (origin === null || isOrigin(origin)) &&
      typeof own(block, 'entries_signed') === 'boolean' &&
      Array.isArray(keys) &&
      keys.length <= LEDGER_KEYS_MAX &&
      keys.every(isLedgerKey) &&
      isFields(software) &&
      isText(own(software, 'name'), NAME_LENGTH_MAX) &&
      isText(own(software, 'version'), NAME_LENGTH_MAX)
    )
  },
  key_added: (block) => isLedgerKey(own(block, 'key')) && isText(own(block, 'proof_of_possession'), 128),
  key_retired: (block) => isKeyId(own(block, 'key_id')),
  closed: (block) => Number.isSafeInteger(own(block, 'size')) && (own(block, 'size') as number) > 0,
}
