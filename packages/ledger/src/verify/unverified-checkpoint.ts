// Parses a checkpoint and determines its signers. There are two forms: a signed note (C2SP tlog-checkpoint),
// and its three lines alone if the ledger is not signed:
//
//   sudoagent.dev/ledger/94ee059335e587e501cc4bf90613e081
//   15
//   rKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=

import { CryptoError, type PublicKey } from '@sudoagent/crypto'
import {
  type Checkpoint,
  cosignatureTime,
  createNoteKey,
  createNoteVerifier,
  isKeyName,
  type Note,
  type NoteVerifier,
  openNote,
  type PolicyVerifier,
  parseCheckpoint,
  parseNote,
} from '@sudoagent/crypto/note'

/** A parsed checkpoint. No signature has been verified. */
export interface UnverifiedCheckpoint extends Checkpoint {
  /** The whole text, including signatures. */
  readonly text: string
  readonly isSigned: boolean
}

/** The known signers of a checkpoint. */
export interface CheckpointSigners {
  readonly keyIds: readonly string[]
  /** Names of witnesses in the policy, and the time of each cosignature in seconds since 1970. */
  readonly witnesses: ReadonlyMap<string, number>
}

/** The keys of a witness policy. */
export interface PolicyKeys {
  readonly witnesses: readonly PolicyVerifier[]
  /** Keys of the logs in the policy. */
  readonly logKeys: readonly PublicKey[]
}

/**
 * Parses a checkpoint, signed or not.
 *
 * @throws CryptoError NOTE_INVALID or CHECKPOINT_INVALID for any other text
 */
export function readUnverifiedCheckpoint(text: string): UnverifiedCheckpoint {
  const isSigned = text.includes('\n\n')
  const checkpoint = parseCheckpoint(isSigned ? parseNote(text).text : text)
  if (!isSigned && checkpoint.extensions.length > 0) {
    throw new CryptoError('CHECKPOINT_INVALID', 'a checkpoint without signatures has more than three lines')
  }
  if (checkpoint.size === 0) throw new CryptoError('CHECKPOINT_INVALID', 'the checkpoint covers no entries')
  return { ...checkpoint, text, isSigned }
}

/**
 * Verifies the signatures by known keys.
 *
 * @returns null if the signature of a given key or witness is not valid, even if others are valid
 */
export function signersOf(
  { text, origin, isSigned }: UnverifiedCheckpoint,
  keys: readonly PublicKey[],
  witnesses: readonly PolicyVerifier[],
): CheckpointSigners | null {
  const logs = new Map<NoteVerifier, string>()
  const own = new Map(keys.map((key) => [key.keyId, key]))
  if (isKeyName(origin)) {
    for (const key of own.values()) logs.set(createNoteVerifier(createNoteKey(origin, key)), key.keyId)
  }
  const note = isSigned ? opened(text, [...logs.keys(), ...witnesses.map(({ verifier }) => verifier)]) : 'nobody'
  if (note === 'nobody') return { keyIds: [], witnesses: new Map() }
  if (note === null) return null
  return {
    keyIds: note.verified.flatMap(({ verifier }) => logs.get(verifier) ?? []),
    witnesses: new Map(
      witnesses.flatMap(({ name, verifier }) => {
        const cosignature = note.verified.find((signature) => signature.verifier === verifier)
        return cosignature === undefined ? [] : [[name, cosignatureTime(cosignature)] as const]
      }),
    ),
  }
}

function opened(text: string, verifiers: readonly NoteVerifier[]): Note | 'nobody' | null {
  try {
    return openNote(text, verifiers)
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error
    return error.code === 'KEY_UNKNOWN' ? 'nobody' : null
  }
}
