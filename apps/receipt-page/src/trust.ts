// Parses pasted keys and policies.
import { type PublicKey, parsePublicKey } from '@sudoagent/crypto'
import { createNoteVerifier, type NoteKey, parseVkey, parseWitnessPolicy } from '@sudoagent/crypto/note'
import type { ReceiptTrust } from '@sudoagent/crypto/receipt'

const PEM = /-----BEGIN [A-Z0-9 ]+-----[\s\S]*?-----END [A-Z0-9 ]+-----/g

/**
 * Parses pasted keys (PEM blocks and vkeys in any order), a pasted policy and the expected origin. An empty policy
 * or origin is ignored.
 *
 * @throws CryptoError for an invalid key or policy
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

/** Parses the vkey of a log. Any other line outside a PEM block is an error that names the expected form. */
function readLogKey(line: string): NoteKey {
  const key = parseVkey(line)
  // Throws if the key is a witness key.
  createNoteVerifier(key)
  return key
}
