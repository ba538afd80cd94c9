// Encodes drafts and links them to the hash chain (LEDGER-FORMAT §3). The functions are pure: they convert text to
// text and hashes.
//
//   entry_hash      = SHA-256(canonical entry with "entry_hash":null and without "entry_signature")
//   decision_hash   = SHA-256(canonical {actor, decision_at, intent, parameters, policy_hash, request_id, resource,
//                     version})
//   entry_signature = base64(Ed25519(ASCII(entry_hash)))
//
// Both hashes cover slices of the stored line, never a re-encoding: Python writes numbers that do not fit a double
// ("13.000000000000000000001"), and the hash binds the bytes. The hashes are therefore meaningful only if the line is
// canonical.
import { types } from 'node:util'
import { CryptoError, type Hash, sha256Hex } from '@sudoagent/crypto'
import { encodeCanonical, encodeMembers } from '@sudoagent/crypto/json'
import type { ScopedCall } from '../authority/stop-scope.js'
import { type ControlBlock, type ControlDraft, type InvalidControl, readControl } from '../entry/control.js'
import { type CheckpointEntry, draftMisfit, type EntryDraft, LEDGER_VERSION, SCHEMA_VERSION } from '../entry/entry.js'
import { isTimestamp } from '../entry/timestamp.js'
import { LedgerError } from '../error.js'
import { ENTRY_BYTES_MAX } from '../limits.js'
import { ownFields } from '../own-fields.js'
import type { AppendOptions } from '../port/writer.js'
import { answeredApprovalProblem, answerOf } from '../rules/approval.js'
import type { AnsweredCall, Problem } from '../rules/line-facts.js'

/** A key, and the canonical text of the key and its value. */
type Member = readonly [key: string, text: string]

/** A draft whose members are already canonical text, so that little work remains under the ledger's lock. */
export interface EncodedDraft {
  /**
   * The text before, between and after the link fields, in canonical order and with trailing commas: one more element
   * than `LINK_FIELDS`.
   */
  readonly around: readonly string[]
  /** Offset of the value of `created_at` in the first element, after the opening quote. */
  readonly createdAtAt: number
  /** The request id of the call; null for a control entry. */
  readonly requestId: string | null
  /** The call that the entry allows, as it is written; null for every other entry. */
  readonly allowed: ScopedCall | null
  /** The block of a control entry, as it is written. */
  readonly control: ControlBlock | InvalidControl | null
  /** The expiry of the approval under which the entry allows a call; null if there is no such approval. */
  readonly approvedUntil: string | null
  /** The answer of a decision to its question; null if the decision has none, and for every other entry. */
  readonly answered: AnsweredCall | null
  /** The rule that the approval of an answer breaks whenever it is recorded; null if there is none. */
  readonly answerProblem: Problem | null
  /** A question, whose deadline is set when it is linked; null for every other entry. */
  readonly question: QuestionToDate | null
  /** The event of a call; null for a control entry. */
  readonly event: EntryDraft['event'] | null
  /** Whether the entry is refused if the call has one of its kind already. */
  readonly once: boolean
  /** For an outcome: the position of the decision, if the writer knows it. */
  readonly decidedAt: number | null
  readonly bytes: number
}

/** The part of a question that linking needs. */
export interface QuestionToDate {
  /** Time until the deadline, in milliseconds. */
  readonly ttlMs: number
  /** Offset of the value of `expires_at` in the first element of `around`, after the opening quote. */
  readonly expiresAtAt: number
}

/** The members that depend on the position in the chain. */
export interface Link {
  readonly prevEntryHash: Hash | null
  readonly recordedAt: string
  readonly keyId: string | null
}

const quote = (text: string): string => JSON.stringify(text)

/** The names of the members that the link sets, in canonical order. */
const LINK_FIELDS = ['entry_hash', 'entry_signature', 'key_id', 'prev_entry_hash', 'recorded_at'] as const

// Members that only the ledger sets. A draft with such a member would produce a duplicate.
const LEDGER_FIELDS: readonly string[] = ['schema_version', 'ledger_version', ...LINK_FIELDS]

const VERSIONS: readonly Member[] = [
  ['ledger_version', `"ledger_version":"${LEDGER_VERSION}"`],
  ['schema_version', `"schema_version":"${SCHEMA_VERSION}"`],
]

/**
 * Encodes a draft before any lock is taken.
 *
 * @throws LedgerError ENTRY_REFUSED if the draft does not have the shape that §2 defines, contains a value without a
 * canonical form, or is too large
 */
export function encodeDraft(given: EntryDraft | ControlDraft, options: AppendOptions = {}): EncodedDraft {
  const { once = false, decidedAt = null } = ownFields(options)
  const { draft, members } = encodeWhole(given)
  // Each member is followed by a comma.
  const text = [...members.map(([, member]) => member), ''].join(',')
  const bytes = Buffer.byteLength(text) + 1
  if (bytes > ENTRY_BYTES_MAX) {
    throw new LedgerError('ENTRY_REFUSED', `entry has ${bytes} bytes, more than ${ENTRY_BYTES_MAX}`, {
      hint: 'put a reference to large data into the arguments, not the data itself',
    })
  }
  // The encoded text is checked, as a reader will parse it: NFC normalisation can make a name exceed its limit, and a
  // proxy can return different values on each read.
  const isAsGiven = bytes === text.length + 1 && !hasProxy(draft)
  const entry = isAsGiven ? draft : (JSON.parse(`{${text.slice(0, -1)}}`) as EntryDraft | ControlDraft)
  const field = draftMisfit(entry)
  if (field !== null) throw new LedgerError('ENTRY_REFUSED', `field \`${field}\` does not fit the ledger format`)
  const call = entry.event === 'checkpoint' ? null : entry
  const allows = call?.event === 'decision' && call.decision.effect === 'allow'
  return {
    around: splitAround(members, text),
    createdAtAt: offsetOf(members, 'created_at'),
    requestId: call?.request_id ?? null,
    allowed: allows ? { agentId: call.agent_id, action: call.action, authority: call.authority ?? null } : null,
    control: entry.event === 'checkpoint' ? readControl(entry as unknown as CheckpointEntry) : null,
    ...answerOfDraft(call),
    question: null,
    event: call?.event ?? null,
    once: once === true,
    decidedAt,
    approvedUntil: allows ? (call.approval?.expires_at ?? null) : null,
    bytes,
  }
}

const NO_ANSWER = { answered: null, answerProblem: null }

function answerOfDraft(call: EntryDraft | null): Pick<EncodedDraft, 'answered' | 'answerProblem'> {
  const answered = call?.event === 'decision' ? answeredOf(call) : null
  if (call === null || answered === null) return NO_ANSWER
  return { answered, answerProblem: answeredApprovalProblem(call, null) }
}

/** The answer of a decision to its question; null if its approval has no requirement. */
function answeredOf(call: EntryDraft): AnsweredCall | null {
  const { request_id: requestId, agent_id: agentId, decision, authority, commitment } = call
  const answer = answerOf(call.approval, commitment === undefined ? null : encodeCanonical(commitment))
  if (answer === null) return null
  const { decision_hash: decisionHash, policy_hash: policyHash } = decision
  const authorityText = authority === undefined ? null : encodeCanonical(authority)
  return { requestId, decisionHash, policyHash, agentId, authority: authorityText, answer }
}

/**
 * Whether `draftMisfit` would read a proxy, which could return a different value on each read. The encoder has
 * already refused accessors.
 */
function hasProxy(draft: EntryDraft | ControlDraft): boolean {
  if (types.isProxy(draft)) return true
  if (draft.event === 'checkpoint') return false
  const { actor, decision, approval, budget, outcome, parameters } = draft
  if (approval?.requirement !== undefined && hasProxyWithin(approval)) return true
  if (draft.commitment !== undefined && hasProxyWithin(draft.commitment)) return true
  if (outcome?.result !== undefined && hasProxyWithin(outcome.result)) return true
  if ([actor, decision, approval, budget, outcome, parameters, draft.metadata].some(types.isProxy)) return true
  if (draft.authority !== undefined && hasProxyWithin(draft.authority)) return true
  return [approval?.binding, parameters?.args, parameters?.kwargs].some(types.isProxy)
}

/** Whether a value is a proxy or contains one. The encoder has refused cycles and deep nesting. */
function hasProxyWithin(value: unknown): boolean {
  if (types.isProxy(value)) return true
  return typeof value === 'object' && value !== null && Object.values(value).some(hasProxyWithin)
}

/** Encodes the draft and the versions as one object, so that the nesting depth is the depth that a reader sees. */
function encodeWhole(given: EntryDraft | ControlDraft): {
  readonly draft: EntryDraft | ControlDraft
  readonly members: readonly Member[]
} {
  try {
    const draft = withoutUndefined(given)
    const members = encodeMembers(draft)
    for (const [key] of members) requireOwn(key)
    return { draft, members: VERSIONS.reduce(insert, members) }
  } catch (cause) {
    if (cause instanceof LedgerError) throw cause
    const why = cause instanceof CryptoError ? cause.message : 'it cannot be read'
    throw new LedgerError('ENTRY_REFUSED', `entry has no canonical form: ${why}`, { cause })
  }
}

/** Omits members that are undefined. */
function withoutUndefined<T extends EntryDraft | ControlDraft>(draft: T): T {
  if (!Object.values(draft).includes(undefined)) return draft
  for (const key of Object.keys(draft)) requireOwn(key)
  return Object.fromEntries(Object.entries(draft).filter(([, value]) => value !== undefined)) as unknown as T
}

function requireOwn(key: string): void {
  if (LEDGER_FIELDS.includes(key)) throw new LedgerError('ENTRY_REFUSED', `field \`${key}\` is set by the ledger`)
}

function insert(members: readonly Member[], member: Member): readonly Member[] {
  const at = members.findIndex(([key]) => key > member[0])
  return at === -1 ? [...members, member] : [...members.slice(0, at), member, ...members.slice(at)]
}

/** Slices one string instead of joining several: flat strings are cheap to copy under the lock. */
function splitAround(members: readonly Member[], text: string): readonly string[] {
  const around: string[] = []
  let [start, end, field] = [0, 0, 0]
  for (const [key, member] of members) {
    for (; field < LINK_FIELDS.length && key > (LINK_FIELDS[field] ?? ''); field += 1) {
      around.push(text.slice(start, end))
      start = end
    }
    end += member.length + 1
  }
  for (; field < LINK_FIELDS.length; field += 1) {
    around.push(text.slice(start, end))
    start = end
  }
  // The last member is not followed by a comma.
  return [...around, text.slice(start, -1)]
}

/** Offset of a string value in the text of the members, after the opening quote. */
function offsetOf(members: readonly Member[], name: string): number {
  let offset = 0
  for (const [key, member] of members) {
    if (key >= name) break
    offset += member.length + 1
  }
  return offset + `"${name}":"`.length
}

/**
 * Returns a call's draft with a different `created_at`.
 *
 * @throws LedgerError ENTRY_REFUSED if the value is not a timestamp
 */
export function withCreatedAt(draft: EncodedDraft, createdAt: string): EncodedDraft {
  if (draft.requestId === null || !isTimestamp(createdAt)) {
    throw new LedgerError('ENTRY_REFUSED', 'field `created_at` does not fit the ledger format')
  }
  const { around, createdAtAt } = draft
  const [first = '', ...rest] = around
  // All timestamps have the same length, so the old one is replaced in place.
  const dated = first.slice(0, createdAtAt) + createdAt + first.slice(createdAtAt + createdAt.length)
  return { ...draft, around: [dated, ...rest] }
}

/** Links a draft to the chain. `line` returns the line with a base64 signature, or without one. */
export function linkEntry(
  { around }: EncodedDraft,
  link: Link,
): { readonly entryHash: Hash; line(signature: string | null): string } {
  const [first = '', second = '', third = '', fourth = '', fifth = '', last = ''] = around
  const key = link.keyId === null ? '' : `"key_id":${quote(link.keyId)},`
  const previous = link.prevEntryHash === null ? 'null' : `"${link.prevEntryHash}"`
  const chained = `${third}${key}${fourth}"prev_entry_hash":${previous},${fifth}"recorded_at":${quote(link.recordedAt)}`
  const rest = last === '' ? `${chained}}` : `${chained},${last}}`
  const entryHash = sha256Hex(`{${first}"entry_hash":null,${second}${rest}`)
  return {
    entryHash,
    line: (signature) => {
      const signed = signature === null ? '' : `"entry_signature":${quote(signature)},`
      return `{${first}"entry_hash":"${entryHash}",${second}${signed}${rest}`
    },
  }
}
