/** The checks shared by both entries of a receipt: content, signature and proof. */
import { decodeBase64 } from '../bytes/base64.js'
import type { ReceiptContent } from './content.js'
import type { ReceiptFindings } from './finding.js'
import { type CheckedTrust, type ProvenEntry, proveEntry } from './proof.js'
import type { UnverifiedReceiptEntry } from './receipt.js'

/**
 * The signature state of an entry: `verified` under a given key, `unchecked` because the signing key may not have
 * been given, or `none`. In the last two cases the checkpoint still covers the entry.
 */
export type EntrySignature = 'verified' | 'unchecked' | 'none'

/** One entry and the results of its checks. Null means that the part is missing or was refused. */
export interface CheckedEntry<Content> {
  readonly stated: UnverifiedReceiptEntry
  readonly content: Content | null
  readonly signature: EntrySignature
  readonly proven: ProvenEntry | null
}

/** The inputs that all checks of one receipt share. */
export interface ReceiptCheck {
  readonly trust: CheckedTrust
  readonly findings: ReceiptFindings
}

type Signed = { readonly key_id: string | null }

const encoder = new TextEncoder()

const OLD_KEY_HINT = 'if an older key of the log signed the entry, give that key as well'

/**
 * Checks one entry and adds all faults to the findings.
 *
 * @param claims - the values of the receipt fields that the entry must repeat
 * @param where - a prefix for each message
 */
export function checkReceiptEntry<Content extends ReceiptContent<Signed>>(
  { trust, findings }: ReceiptCheck,
  stated: UnverifiedReceiptEntry,
  claims: Readonly<Record<string, unknown>>,
  read: (line: string) => Content,
  where: string,
): CheckedEntry<Content> {
  const { line } = stated
  const content = line === null ? null : findings.attempt(() => read(line), where)
  if (content !== null && content.entryHash !== stated.entry_hash) {
    findings.add('ENTRY_HASH_MISMATCH', `${where}entry_hash is not the hash of the entry`)
  }
  for (const [name, value] of Object.entries(content?.claims ?? {})) {
    if (claims[name] !== value)
      findings.add('FIELD_MISMATCH', `${where}the receipt and the entry differ in \`${name}\``)
  }
  const keyId = content?.shown.key_id ?? null
  // The proof is checked first. If none of the given keys signed the checkpoint, a missing entry key is not reported
  // separately.
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
    if (keyId !== null) findings.add('SIGNATURE_INVALID', `${where}the entry names its key but has no signature`)
    return 'none'
  }
  const bytes = decodeBase64(signature)
  // If the content was omitted or the entry was written by SudoAgent for Python, the signing key is not named, so
  // all given keys are tried.
  const candidates = keyId === null ? [...verifiers.values()] : [verifiers.get(keyId)]
  if (bytes !== null && candidates.some((verifier) => verifier?.verify(encoder.encode(hash), bytes))) return 'verified'
  if (keyId !== null && verifiers.has(keyId)) {
    findings.add('SIGNATURE_INVALID', `${where}entry_signature is not a signature by key \`${keyId}\``)
  }
  // The receipt does not name the signing key, so the signature may also belong to a different entry.
  if (keyId === null) {
    const other = 'entry_signature is not a signature of this entry by a given key'
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
    const hint = 'create the receipt again from a signed ledger'
    findings.add('PROOF_MISSING', `${where}there is no proof that the entry is recorded`, hint)
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
    findings.add(
      'WITNESS_QUORUM_MISSING',
      `${where}the quorum was not reached: ${count} witnesses in the policy cosigned the checkpoint`,
    )
  }
  return proven
}
