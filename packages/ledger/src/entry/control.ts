// Control entries (LEDGER-FORMAT §5): entries about the ledger itself, in the same hash chain and Merkle tree as the
// calls.
//
//   {"checkpoint":{"entries_signed":true,"keys":[{"key_id":"8708…","pem":"-----BEGIN PUBLIC KEY-----…"}],
//    "kind":"genesis","ledger_id":"…","origin":null,"software":{"name":"@sudoagent/ledger","version":"0.1.0"}},
//    "created_at":"…","entry_hash":"…","event":"checkpoint",…}
//
// This file checks the shape of a control entry; `standing/` checks whether the entry is allowed at its position.

import type { Signer } from '@sudoagent/crypto'
import { encodeBase64 } from '@sudoagent/crypto/bytes'
import { type Asked, isAsked, isResume, isStop, type Resume, type Stop } from '@sudoagent/crypto/entry'
import { encodeCanonical } from '@sudoagent/crypto/json'
import { isKeyName } from '@sudoagent/crypto/note'
import { LEDGER_KEYS_MAX, NAME_LENGTH_MAX, ORIGIN_BYTES_MAX } from '../limits.js'
import { type CheckpointEntry, isCallEntry, type LedgerEntry } from './entry.js'
import { nestedTexts, type ParsedLine } from './line.js'

/** A public key in a control entry. */
export interface LedgerKey {
  readonly key_id: string
  /** The public key in PEM (SPKI). */
  readonly pem: string
}

/** The first entry of every ledger that this package creates. */
export interface Genesis {
  readonly kind: 'genesis'
  /** A UUIDv4 that distinguishes ledgers with the same key. */
  readonly ledger_id: string
  /** The permanent name of the log. If null, `originOf` derives the name from the hash of this entry. */
  readonly origin: string | null
  /** Whether every entry must be signed, including this one. */
  readonly entries_signed: boolean
  /** The keys that may sign from the start; empty if entries are not signed. */
  readonly keys: readonly LedgerKey[]
  readonly software: { readonly name: string; readonly version: string }
}

/** Adds a key, which may sign later entries. This entry is signed by an active key. */
export interface KeyAdded {
  readonly kind: 'key_added'
  readonly key: LedgerKey
  /** The new key's signature over `possessionMessage`, in base64, which proves possession of the private key. */
  readonly proof_of_possession: string
}

/** Retires a key, which may not sign later entries. The retired key may sign this entry. */
export interface KeyRetired {
  readonly kind: 'key_retired'
  readonly key_id: string
}

/** Closes the ledger: no entry may follow. */
export interface Closed {
  readonly kind: 'closed'
  /** Number of entries in the ledger, including this one. */
  readonly size: number
}

/** The blocks that change the keys, or the state of the ledger as a whole. */
export type RingBlock = Genesis | KeyAdded | KeyRetired | Closed

export type ControlBlock = RingBlock | Stop | Resume | Asked

/** A block of a known kind whose content does not have the form of that kind. */
export type InvalidControl = { readonly kind: 'invalid'; readonly of: ControlBlock['kind'] }

/**
 * A control entry to which the ledger has not yet added the versions, `recorded_at`, the chain members and the
 * signature.
 */
export interface ControlDraft {
  readonly event: 'checkpoint'
  readonly created_at: string
  readonly checkpoint: ControlBlock
}

const DEFAULT_ORIGIN = 'sudoagent.dev/ledger/'

/**
 * The name of a log: the origin in the genesis or, without such an origin, a name derived from the hash of the first
 * entry.
 */
export function originOf(given: string | null, firstEntryHash: string): string {
  return given ?? `${DEFAULT_ORIGIN}${firstEntryHash.slice(0, 32)}`
}

/** Whether a value is a valid origin: a signed-note key name in NFC, with at most 255 bytes. */
export function isOrigin(text: unknown): text is string {
  return isKeyName(text) && Buffer.byteLength(text) <= ORIGIN_BYTES_MAX && text.normalize('NFC') === text
}

/** The message that a new key signs to prove possession. The message contains the ledger origin and both key ids. */
export function possessionMessage(origin: string, oldKeyId: string, newKeyId: string): Uint8Array {
  return new TextEncoder().encode(`sudoagent/key_added/v1\n${origin}\n${oldKeyId}\n${newKeyId}\n`)
}

/** Creates the block that adds a key. @throws any error of the new key's signer */
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
 * Reads and checks the block of a control entry.
 *
 * @returns null for a kind that this version does not know (a later version may add kinds)
 */
export function readControl(entry: CheckpointEntry): ControlBlock | InvalidControl | null {
  const block: unknown = entry.checkpoint
  if (!isFields(block)) return null
  const kind = own(block, 'kind')
  if (typeof kind !== 'string' || !Object.hasOwn(FITS, kind)) return null
  const of = kind as ControlBlock['kind']
  return FITS[of](block) && entry.created_at !== undefined
    ? (block as unknown as ControlBlock)
    : { kind: 'invalid', of }
}

/**
 * Like `readControl`, for a stored line, in which a question must not have a number that `JSON.parse` rounds: its
 * `requirement_hash` would be the hash of a different text.
 */
export function readStoredControl(entry: CheckpointEntry, line: ParsedLine): ControlBlock | InvalidControl | null {
  const block = readControl(entry)
  if (block?.kind !== 'asked' || !line.mayRound) return block
  const [requirement, redacted] = nestedTexts(line, 'checkpoint', ['requirement', 'redacted'])
  const isExact = requirement === encodeCanonical(block.requirement) && redacted === String(block.redacted)
  return isExact ? block : { kind: 'invalid', of: 'asked' }
}

/** The question of a control entry; null for another entry, or for a block that is not in the form of a question. */
export function askedOf(entry: LedgerEntry): Asked | null {
  const block = isCallEntry(entry) ? null : readControl(entry)
  return block?.kind === 'asked' ? block : null
}

/** The request id of a call, or of the question whether it may run; null for another entry. */
export const requestIdOf = (entry: LedgerEntry): string | null =>
  isCallEntry(entry) ? entry.request_id : (askedOf(entry)?.request_id ?? null)

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const own = (fields: Fields, name: string): unknown => (Object.hasOwn(fields, name) ? fields[name] : undefined)
const isText = (value: unknown, maxLength: number, minLength = 1): value is string =>
  typeof value === 'string' && value.length >= minLength && value.length <= maxLength
const isKeyId = (value: unknown): value is string => typeof value === 'string' && /^[0-9a-f]{16}$/.test(value)
/** The PEM of an Ed25519 key has 113 characters, so a limit of 512 is ample. */
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
  stop: isStop,
  resume: isResume,
  asked: isAsked,
  closed: (block) => Number.isSafeInteger(own(block, 'size')) && (own(block, 'size') as number) > 0,
}
