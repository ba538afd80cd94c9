// The hash chain (LEDGER-FORMAT §3), pure: text in, text and hashes out.
//
//   entry_hash      = SHA-256(canonical entry with "entry_hash":null and without "entry_signature")
//   decision_hash   = SHA-256(canonical {actor, decision_at, intent, parameters, policy_hash, request_id, resource, version})
//   entry_signature = base64(Ed25519(ASCII(entry_hash)))
//
// Both hashes are taken over slices of the line as it stands, never over a re-encoding: Python writes numbers that do not fit a double
// ("13.000000000000000000001"), and what is bound is the bytes. A line must therefore be canonical before its hashes mean anything.
import {
  CryptoError,
  type DecisionFacts,
  encodeCanonical,
  type Hash,
  hashDecisionFacts,
  type Members,
  scanJson,
  sha256Hex,
} from '@sudoagent/crypto'
import type { ControlDraft } from './control.js'
import {
  type CallEntry,
  checkEntry,
  type EntryDraft,
  LEDGER_VERSION,
  type Parameters,
  SCHEMA_VERSION,
} from './entry.js'
import { LedgerError } from './error.js'
import { ENTRY_BYTES_MAX } from './limits.js'

/** A draft whose members are canonical text already, so that little is left to do while the ledger's lock is held. */
export interface EncodedDraft {
  readonly members: readonly (readonly [key: string, text: string])[]
  /** The call that it is about; null for a control entry. */
  readonly requestId: string | null
  /** The end of the approval under which it allows a call; null where there is none. */
  readonly approvedUntil: string | null
  readonly bytes: number
}

/** What the chain gives to the entry that comes next. */
export interface Link {
  readonly prevEntryHash: Hash | null
  readonly recordedAt: string
  readonly keyId: string | null
}

const NO_HASH = '0'.repeat(64)
const quote = (text: string): string => JSON.stringify(text)

// What the ledger alone gives to an entry. A draft that brings one of them along would write it twice.
const LEDGER_FIELDS = [
  'schema_version',
  'ledger_version',
  'recorded_at',
  'prev_entry_hash',
  'entry_hash',
  'key_id',
  'entry_signature',
]

/**
 * Encodes a draft once, outside any lock.
 *
 * @throws LedgerError ENTRY_REFUSED when it is not the shape of §2, holds a value that has no canonical form, or is too large
 */
export function encodeDraft(draft: EntryDraft | ControlDraft): EncodedDraft {
  const text = encodeWhole(draft)
  const bytes = Buffer.byteLength(text)
  if (bytes > ENTRY_BYTES_MAX) {
    throw new LedgerError('ENTRY_REFUSED', `entry has ${bytes} bytes, more than ${ENTRY_BYTES_MAX}`, {
      hint: 'put a reference to large data into the arguments, not the data itself',
    })
  }
  // Checked as a reader will find it, not as it was given: normalisation can lengthen a name beyond its bound.
  const entry = JSON.parse(text)
  const problem = checkEntry({ ...entry, prev_entry_hash: null, entry_hash: NO_HASH })
  if (problem !== null)
    throw new LedgerError('ENTRY_REFUSED', `field \`${problem.field}\` does not fit the ledger format`)
  const members = [...scanJson(text).members].map(([key, [start, end]]) => [key, text.slice(start, end)] as const)
  const allows = entry.event === 'decision' && entry.decision.effect === 'allow'
  const approvedUntil = allows ? (entry.approval?.expires_at ?? null) : null
  return { members, requestId: entry.event === 'checkpoint' ? null : entry.request_id, approvedUntil, bytes }
}

/** Canonical text of the draft and its versions, encoded as a whole: nesting is counted from where a reader counts it. */
function encodeWhole(draft: EntryDraft | ControlDraft): string {
  try {
    const given: Record<string, unknown> = { ...draft }
    const foreign = LEDGER_FIELDS.find((field) => Object.hasOwn(given, field))
    if (foreign !== undefined) throw new LedgerError('ENTRY_REFUSED', `field \`${foreign}\` is the ledger's to set`)
    for (const key of Object.keys(given)) if (given[key] === undefined) delete given[key]
    return encodeCanonical({ ...given, schema_version: SCHEMA_VERSION, ledger_version: LEDGER_VERSION })
  } catch (cause) {
    if (cause instanceof LedgerError) throw cause
    const why = cause instanceof CryptoError ? cause.message : 'it cannot be read'
    throw new LedgerError('ENTRY_REFUSED', `entry has no canonical form: ${why}`, { cause })
  }
}

/** Gives a draft its place in the chain; `line` adds the signature (base64), or none. */
export function linkEntry(
  draft: EncodedDraft,
  link: Link,
): { readonly entryHash: Hash; line(signature: string | null): string } {
  const members = [
    ...draft.members,
    ['prev_entry_hash', link.prevEntryHash === null ? 'null' : quote(link.prevEntryHash)],
  ]
  members.push(['recorded_at', quote(link.recordedAt)])
  if (link.keyId !== null) members.push(['key_id', quote(link.keyId)])
  const join = (extra: readonly (readonly string[])[]): string =>
    `{${[...members, ...extra]
      .sort(([a = ''], [b = '']) => (a < b ? -1 : 1))
      .map(([key = '', text = '']) => `${quote(key)}:${text}`)
      .join(',')}}`
  const entryHash = sha256Hex(join([['entry_hash', 'null']]))
  return {
    entryHash,
    line: (signature) =>
      join([['entry_hash', quote(entryHash)], ...(signature === null ? [] : [['entry_signature', quote(signature)]])]),
  }
}

/**
 * `decision_hash` of a decision about to be made.
 *
 * @param facts - every string is NFC-normalised here, as it will be in the entry
 * @throws CryptoError VALUE_REFUSED when the parameters have no canonical form
 */
export function decisionHash(facts: DecisionFacts, parameters: Parameters): Hash {
  const nfc = (text: string): string => text.normalize('NFC')
  const actor = { principal: nfc(facts.actor.principal), source: nfc(facts.actor.source) }
  const { requestId, decisionAt, policyHash, action } = facts
  return hashDecisionFacts(
    { requestId: nfc(requestId), decisionAt, policyHash: nfc(policyHash), action: nfc(action), actor },
    encodeCanonical(parameters),
  )
}

/** Recomputes `decision_hash` from a decision entry and its canonical line. */
export function hashDecision(entry: CallEntry, line: string, members: Members): Hash {
  const span = members.get('parameters')
  const actor = entry.actor ?? { principal: entry.agent_id, source: 'python' }
  const { request_id: requestId, created_at: decisionAt, action } = entry
  const facts = { requestId, decisionAt, policyHash: entry.decision.policy_hash, action, actor }
  return hashDecisionFacts(facts, span === undefined ? 'null' : line.slice(span[0], span[1]))
}
