/** What is checked of each of the two entries in a receipt, alike: content, signature, proof. */
import { decodeBase64 } from '../bytes/base64.js'
import type { ReceiptContent } from './content.js'
import type { ReceiptFindings } from './finding.js'
import { type CheckedTrust, type ProvenEntry, proveEntry } from './proof.js'
import type { UnverifiedReceiptEntry } from './receipt.js'

/**
 * Whether the entry itself is signed: by a given key; or perhaps by one that was not given; or not at all. In the last
 * two cases the checkpoint vouches for it all the same.
 */
export type EntrySignature = 'verified' | 'unchecked' | 'none'

/** One entry, and what was found of it. Null stands for what is not there or was refused. */
export interface CheckedEntry<Shown> {
  readonly stated: UnverifiedReceiptEntry
  readonly content: ReceiptContent<Shown> | null
  readonly signature: EntrySignature
  readonly proven: ProvenEntry | null
}

/** What every check of one receipt needs. */
export interface ReceiptCheck {
  readonly trust: CheckedTrust
  readonly findings: ReceiptFindings
}

type Signed = { readonly key_id: string | null }

const encoder = new TextEncoder()

const OLD_KEY_HINT = 'if an older key of the log signed the entry, give that key, too'

/**
 * Checks one entry. All that is wrong with it is among the findings afterwards.
 *
 * @param claims what the receipt says under the names that the entry's content has, too.
 * @param where goes before each message.
 */
export function checkReceiptEntry<Shown extends Signed>(
  { trust, findings }: ReceiptCheck,
  stated: UnverifiedReceiptEntry,
  claims: Readonly<Record<string, unknown>>,
  read: (line: string) => ReceiptContent<Shown>,
  where: string,
): CheckedEntry<Shown> {
  const { line } = stated
  const content = line === null ? null : findings.attempt(() => read(line), where)
  if (content !== null && content.entryHash !== stated.entry_hash) {
    findings.add('ENTRY_HASH_MISMATCH', `${where}entry_hash is not the hash of the entry`)
  }
  for (const [name, value] of Object.entries(content?.claims ?? {})) {
    if (claims[name] !== value) findings.add('FIELD_MISMATCH', `${where}the entry has another \`${name}\``)
  }
  const keyId = content?.shown.key_id ?? null
  // First: without a given key on the checkpoint, it is of no use to ask for the key of the entry.
  const proven = checkProof({ trust, findings }, stated, keyId, where)
  const signature = checkSignature({ trust, findings }, stated, { keyId, isProven: proven !== null }, where)
  return { stated, content, signature, proven }
}

function checkSignature(
  { trust: { verifiers }, findings }: ReceiptCheck,
  { entry_hash: hash, entry_signature: signature }: UnverifiedReceiptEntry,
  { keyId, isProven }: { readonly keyId: string | null; readonly isProven: boolean },
  where: string,
): EntrySignature {
  if (signature === null) {
    if (keyId !== null) findings.add('SIGNATURE_INVALID', `${where}the entry names its key and has no signature`)
    return 'none'
  }
  const bytes = decodeBase64(signature)
  // Without its content, and in ledgers of SudoAgent for Python, an entry does not say which key is its own.
  const candidates = keyId === null ? [...verifiers.values()] : [verifiers.get(keyId)]
  if (bytes !== null && candidates.some((verifier) => verifier?.verify(encoder.encode(hash), bytes))) return 'verified'
  if (keyId !== null && verifiers.has(keyId)) {
    findings.add('SIGNATURE_INVALID', `${where}entry_signature is not that of key \`${keyId}\``)
  }
  // Nothing in the receipt says whose signature it should be: it may be that of another entry.
  if (keyId === null) {
    const other = 'entry_signature was made for this entry by none of the given keys'
    const message = isProven ? `a given key signed the checkpoint, but ${other}` : other
    findings.add('KEY_UNKNOWN', `${where}${message}`, OLD_KEY_HINT)
  }
  return 'unchecked'
}

function checkProof(
  { trust, findings }: ReceiptCheck,
  { ledger_position: position, entry_hash: hash, proof }: UnverifiedReceiptEntry,
  keyId: string | null,
  where: string,
): ProvenEntry | null {
  if (proof === null) {
    const hint = 'have the receipt made again, from a signed ledger'
    findings.add('PROOF_MISSING', `${where}there is no proof that the entry is on record`, hint)
    return null
  }
  const keyHint = `give the public key of the log${keyId === null ? '' : `; the entry names key \`${keyId}\``}`
  const proven = findings.attempt(() => proveEntry(hash, proof, trust), where, keyHint)
  if (proven === null) return null
  if (proven.position !== position) {
    findings.add('PROOF_INVALID', `${where}the proof is for position ${proven.position}, not ${position}`)
  }
  if (proven.witnessed === false) {
    const count = `${proven.cosignedBy.length} of ${trust.witnesses.length}`
    findings.add('WITNESS_QUORUM_MISSING', `${where}too few witnesses of the policy have cosigned: ${count}`)
  }
  return proven
}
