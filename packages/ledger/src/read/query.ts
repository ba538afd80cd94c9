// Finds entries by criteria, without verifying the entries.
//
// There are three ways to find entries, which give the same results for a valid ledger:
//
// - by call: the store's index returns the entries with a request id. The index is untrusted, so the entries that it
//   returns are used only if they are a denial, or a decision and its outcome, and the question that the decision
//   answers; otherwise the ledger is searched.
// - by text: canonical JSON (RFC 8785) has one spelling for each value, so the bytes of a matching line must contain
//   certain substrings. Lines without these substrings are not parsed; in a large SQLite ledger, worker threads test
//   whole batches of lines.
// - all lines, for criteria without text.
//
// For example, the query { action: 'refund', effect: 'deny' } reads the ledger once, skips all batches without the
// bytes "refund" (with quotes), parses the remaining lines, and compares the members.
//
// `criteria.ts` parses criteria; `call-query.ts` handles those that concern both entries of a call; `story.ts` finds
// all entries of one call.

import type { Asked } from '@sudoagent/crypto/entry'
import { askedOf, requestIdOf } from '../entry/control.js'
import { authorityOf, type CallEntry, isCallEntry, type LedgerEntry } from '../entry/entry.js'
import { type EntryRecord, recordOf } from '../entry/record.js'
import type { StoredLine } from '../entry/stored-line.js'
import { LedgerError } from '../error.js'
import { ownFields } from '../own-fields.js'
import type { LedgerReader } from '../port/reader.js'
import { scan } from '../range/scan.js'
import { mayHave, type Needles, type PieceWork } from '../range/task.js'
import { isAboutCalls, selectOfCalls } from './call-query.js'
import type { Criteria, SelectOptions } from './criteria.js'

/**
 * Finds the matching entries, in ledger order. Unreadable lines are skipped; `onUnreadable` is called for each that
 * may match, and `verify` reports the defects.
 *
 * @throws LedgerError if the store cannot be read
 */
export async function* select(
  reader: LedgerReader,
  given: Criteria = {},
  options: SelectOptions = {},
): AsyncGenerator<EntryRecord> {
  const criteria = ownFields(given)
  if ((criteria.limit ?? 1) <= 0) return
  const find = (of: Criteria, more: SelectOptions) => selectEntries(reader, ownFields(of), more)
  yield* isAboutCalls(criteria) ? selectOfCalls({ find, fits: matches }, criteria, options) : find(criteria, options)
}

async function* selectEntries(
  reader: LedgerReader,
  criteria: Criteria,
  { threads, onProgress, onUnreadable }: SelectOptions,
): AsyncGenerator<EntryRecord> {
  const { requestId, limit = Number.POSITIVE_INFINITY } = criteria
  const needles = needlesOf(criteria)
  const take = filterOf(criteria, needles, onUnreadable)
  const isSought = needles.folded !== null || needles.exact.length > 0
  let found = 0
  const lookedUp = requestId === undefined ? [] : await lookUpCall(reader, requestId)
  const work: PieceWork | null = isSought ? { kind: 'find', ...needles } : null
  const all = isWholeCall(lookedUp) ? [lookedUp.map(({ line }) => line)] : scan(reader, work, { threads })
  let lines = 0
  for await (const scanned of all) {
    lines = 'texts' in scanned ? scanned.lines : lines + scanned.length
    // A range without a match has no lines to parse.
    for (const line of 'texts' in scanned ? [] : scanned) {
      const record = take(line)
      if (record === null) continue
      yield record
      found += 1
      if (found >= limit) return
    }
    onProgress?.(lines)
  }
}

/** The substrings that a matching line must contain, so that most lines need not be parsed. */
function needlesOf(criteria: Criteria): Needles {
  const { requestId, action, agentId, onBehalfOf, tenant, session, reasonCode, decisionHash, outcome } = criteria
  const wanted = criteria.text?.normalize('NFC').toLowerCase()
  return {
    // The substring in its escaped JSON form.
    folded: wanted === undefined ? null : JSON.stringify(wanted).slice(1, -1),
    exact: [requestId, action, agentId, onBehalfOf, tenant, session, reasonCode, decisionHash, outcome]
      .filter((value) => value !== undefined)
      .map((value) => JSON.stringify(value.normalize('NFC'))),
  }
}

/**
 * Returns a filter that parses a stored line if the line may match; the filter returns null for a line that is
 * unreadable or does not match.
 */
function filterOf(
  criteria: Criteria,
  needles: Needles,
  onUnreadable: SelectOptions['onUnreadable'],
): (line: StoredLine) => EntryRecord | null {
  return (line) => {
    if (line.fault === undefined && !mayHave(view(line.bytes), needles)) return null
    const record = line.fault === undefined ? recordOf(line) : null
    if (record === null) onUnreadable?.(line.position)
    return record !== null && matches(record, criteria) ? record : null
  }
}

function matches({ entry, json }: EntryRecord, criteria: Criteria): boolean {
  const wanted = criteria.text?.normalize('NFC').toLowerCase()
  if (!fits(entry, criteria)) return false
  return wanted === undefined || mentions(entry, wanted) || saysNumber(json, wanted)
}

/** An entry found in the store's call index. */
export interface LookedUp {
  readonly line: StoredLine
  readonly record: EntryRecord
}

/**
 * Reads the entries of a call from the store's call index, in order. The index is untrusted and may be incomplete or
 * damaged.
 */
export async function lookUpCall(reader: LedgerReader, requestId: string): Promise<readonly LookedUp[]> {
  const wanted = requestId.normalize('NFC')
  const found: LookedUp[] = []
  for (const line of await linesInBook(reader, wanted)) {
    const record = recordOf(line)
    if (record !== null && requestIdOf(record.entry) === wanted) found.push({ line, record })
  }
  return found
}

/** A damaged index is treated as empty: the caller then reads the ledger, which reports the damage. */
async function linesInBook(reader: LedgerReader, requestId: string): Promise<readonly StoredLine[]> {
  try {
    return (await reader.linesOfCall(requestId)) ?? []
  } catch (error) {
    if (error instanceof LedgerError && error.code === 'LEDGER_DAMAGED') return []
    throw error
  }
}

/**
 * Whether the index returned all entries that a valid ledger can have for a call: a denial, or a decision and its
 * outcome; and the question that the decision answers. `verify` does not check the index. Without this check, an
 * attacker who can write to the file could therefore hide an outcome by removing it from the index. The index of an
 * earlier release does not have the questions.
 */
function isWholeCall(found: readonly LookedUp[]): boolean {
  const entries = found.map(({ record }) => record.entry)
  const decision = entries.find(({ event }) => event === 'decision')
  if (decision === undefined || !isCallEntry(decision)) return false
  if (isAnswer(decision) && !entries.some((entry) => isAnsweredBy(askedOf(entry), decision))) return false
  return decision.decision.effect === 'deny' || entries.some(({ event }) => event === 'outcome')
}

/** Whether the question of a call is recorded. */
export const isAnswer = ({ approval }: CallEntry): boolean =>
  approval !== null && approval !== undefined && Object.hasOwn(approval, 'requirement')

/** A call may have an earlier question that expired, so the deadlines are compared, too. */
const isAnsweredBy = (asked: Asked | null, { approval, decision }: CallEntry): boolean =>
  asked?.decision_hash === decision.decision_hash && asked.expires_at === approval?.expires_at

const view = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

function fits(entry: LedgerEntry, criteria: Criteria): boolean {
  const { event } = entry
  const time = entry.recorded_at ?? entry.created_at
  if (criteria.event !== undefined && event !== criteria.event) return false
  if (criteria.start !== undefined && !(time !== undefined && time >= criteria.start)) return false
  if (criteria.end !== undefined && !(time !== undefined && time <= criteria.end)) return false
  const call = isCallEntry(entry) ? entry : undefined
  const asked = askedOf(entry)
  const authority = call === undefined ? asked?.authority : authorityOf(call)
  const pairs: readonly (readonly [wanted: string | undefined, is: string | null | undefined])[] = [
    [criteria.requestId, asked?.request_id ?? entry.request_id],
    [criteria.action, call?.action ?? asked?.action],
    [criteria.agentId, call?.agent_id ?? asked?.agent_id],
    [criteria.onBehalfOf, authority?.on_behalf_of?.id],
    [criteria.tenant, authority?.tenant],
    [criteria.session, authority?.session],
    [criteria.effect, call?.decision.effect],
    [criteria.reasonCode, call?.decision.reason_code],
    [criteria.outcome, call?.outcome?.status],
    [criteria.decisionHash, call?.decision.decision_hash ?? asked?.decision_hash],
  ]
  return pairs.every(([wanted, is]) => wanted === undefined || wanted.normalize('NFC') === is)
}

/**
 * Whether a string, a number or a key in a value contains `wanted`, which is in lower case. The depth of a parsed
 * line is limited.
 */
function mentions(value: unknown, wanted: string): boolean {
  if (typeof value === 'string') return value.toLowerCase().includes(wanted)
  if (typeof value === 'number' || typeof value === 'boolean') return String(value).includes(wanted)
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(value)) return value.some((item) => mentions(item, wanted))
  return Object.entries(value).some(([key, item]) => key.toLowerCase().includes(wanted) || mentions(item, wanted))
}

/**
 * Whether the line contains a number with these digits. Python writes numbers with more digits than a parsed entry
 * preserves.
 */
function saysNumber(line: string, wanted: string): boolean {
  return /^-?\d+(?:\.\d+)?$/.test(wanted) && line.includes(wanted)
}
