// A checkpoint as a text states it, and who has signed it. Two forms: the signed note (C2SP tlog-checkpoint), and, where nobody signs, its three
// lines alone.
//
//   sudoagent.dev/ledger/94ee059335e587e501cc4bf90613e081
//   15
//   rKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=
import {
  type Checkpoint,
  CryptoError,
  cosignatureTime,
  createNoteKey,
  createNoteVerifier,
  isKeyName,
  type Note,
  type NoteVerifier,
  openNote,
  type PolicyVerifier,
  type PublicKey,
  parseCheckpoint,
  parseNote,
} from '@sudoagent/crypto'

/** What a text says. Nobody has vouched for it. */
export interface UnverifiedCheckpoint extends Checkpoint {
  /** The whole text, signatures included. */
  readonly text: string
  readonly isSigned: boolean
}

/** Who has signed a checkpoint, of those who were asked about. */
export interface CheckpointSigners {
  readonly keyIds: readonly string[]
  /** Names in the policy, and when each cosigned: seconds since 1970. */
  readonly witnesses: ReadonlyMap<string, number>
}

/** The keys of a witness policy. */
export interface PolicyKeys {
  readonly witnesses: readonly PolicyVerifier[]
  /** Of the logs that it names. */
  readonly logKeys: readonly PublicKey[]
}

/**
 * Reads a checkpoint, signed or not.
 *
 * @throws CryptoError NOTE_INVALID or CHECKPOINT_INVALID for anything else
 */
export function readUnverifiedCheckpoint(text: string): UnverifiedCheckpoint {
  const isSigned = text.includes('\n\n')
  const checkpoint = parseCheckpoint(isSigned ? parseNote(text).text : text)
  if (!isSigned && checkpoint.extensions.length > 0) {
    throw new CryptoError('CHECKPOINT_INVALID', 'a checkpoint without signatures has more than three lines')
  }
  if (checkpoint.size === 0)
    throw new CryptoError('CHECKPOINT_INVALID', 'the checkpoint is of no entries and says nothing')
  return { ...checkpoint, text, isSigned }
}

/**
 * Who has signed it.
 *
 * @returns null when a signature by one of the given keys or witnesses does not hold, whoever else has signed
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
