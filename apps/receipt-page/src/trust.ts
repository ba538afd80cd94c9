// What a person pastes as keys and policy → whose word is taken.
import {
  createNoteVerifier,
  type NoteKey,
  type PublicKey,
  parsePublicKey,
  parseVkey,
  parseWitnessPolicy,
  type ReceiptTrust,
} from '@sudoagent/crypto'

const PEM = /-----BEGIN [A-Z0-9 ]+-----[\s\S]*?-----END [A-Z0-9 ]+-----/g

/**
 * Reads pasted keys, PEM blocks and vkeys in any mixture, a pasted policy and the origin of the log that is meant; empty
 * texts mean none.
 *
 * @throws CryptoError for what is no key or no policy
 */
export function readTrust(keys: string, policy: string, origin: string): ReceiptTrust {
  const blocks = keys.match(PEM) ?? []
  const lines = keys
    .replace(PEM, '')
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '')
  const publicKeys: (PublicKey | NoteKey)[] = [
    ...blocks.map((block) => parsePublicKey(`${block.replaceAll('\r', '')}\n`)),
    ...lines.map(readLogKey),
  ]
  const meant = origin.trim() === '' ? {} : { origin: origin.trim() }
  if (policy.trim() === '') return { publicKeys, ...meant }
  return { publicKeys, ...meant, witnessPolicy: parseWitnessPolicy(`${policy.replaceAll('\r', '').trimEnd()}\n`) }
}

/** A vkey of a log. A line that is neither that nor part of a PEM block is refused here, with what it should be. */
function readLogKey(line: string): NoteKey {
  const key = parseVkey(line)
  // Says so when it is the key of a witness.
  createNoteVerifier(key)
  return key
}
