// Parses a checkpoint and determines its signers. A checkpoint is a signed note (C2SP tlog-checkpoint) or, if the
// ledger is not signed, only the three lines of the note:
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
  /** The full text, including signatures. */
  readonly text: string
  readonly isSigned: boolean
}

/** The known signers of a checkpoint. */
export interface CheckpointSigners {
  readonly keyIds: readonly string[]
  /** Names of witnesses in the policy, and the time of each cosignature as Unix time in seconds. */
  readonly witnesses: ReadonlyMap<string, number>
}

/** The keys in a witness policy. */
export interface PolicyKeys {
  readonly witnesses: readonly PolicyVerifier[]
  /** Keys of the logs that the policy names. */
  readonly logKeys: readonly PublicKey[]
}

/**
 * Parses a signed or unsigned checkpoint.
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
 * Verifies the signatures that were made with known keys.
 *
 * @returns null if a signature by a given key or a witness is invalid, even if other signatures are valid
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
