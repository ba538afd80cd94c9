// Finding entries. A query reads what is there; it verifies nothing, and says so nowhere but in `verify`.
import { isAboutCalls, selectOfCalls } from './call-query.js'
import { isCallEntry, type LedgerEntry } from './entry.js'
import { LedgerError } from './error.js'
import type { LedgerReader, StoredLine } from './ledger.js'
import { parseLine } from './line.js'
import { ownFields } from './own-fields.js'
import { mayHave, type Needles, type PieceWork } from './part/piece-work.js'
import { scan } from './range-scan.js'
import { type EntryRecord, recordOf } from './record.js'
import { isTimestamp } from './timestamp.js'

/**
 * What an entry must be; every criterion that is given must fit. Criteria on the decision and on the outcome together are about the call
 * (`call-query.ts`): with `effect` and `outcome`, both entries of each such call are found.
 */
export interface Criteria {
  readonly requestId?: string
  readonly action?: string
  readonly agentId?: string
  readonly event?: string
  /** `allow` or `deny`: of the decision; of its call where the outcome is asked for. */
  readonly effect?: string
  readonly reasonCode?: string
  /** `success` or `error`: of the outcome; of its call where the decision is asked for. */
  readonly outcome?: string
  /** On a decision and on its outcome. */
  readonly decisionHash?: string
  /**
   * First and last time at which it was recorded, both inclusive, as ledger timestamps: `recorded_at`, which never goes back and is later than
   * `created_at` by as long as an approval took; `created_at` in entries without it.
   */
  readonly start?: string
  readonly end?: string
  /** Somewhere in the entry's text values or keys, whatever the case. */
  readonly text?: string
  readonly limit?: number
}

/** The same as a caller types it: everything is text. */
export type CriteriaInput = { readonly [name in keyof Criteria]?: string }

const EVENTS = ['decision', 'outcome', 'checkpoint']
const EFFECTS = ['allow', 'deny']
const OUTCOMES = ['success', 'error']

/**
 * Reads criteria that a person typed. Timestamps are dates (`2026-11-22`, the whole day) or RFC 3339 in UTC (`2026-11-22T20:18:29Z`).
 *
 * @throws LedgerError QUERY_INVALID naming the criterion: a bad timestamp, `start` after `end`, an unknown event, effect or outcome, a limit
 * that is no positive integer, an empty value
 */
export function parseCriteria(input: CriteriaInput): Criteria {
  for (const [criterion, value] of Object.entries(input)) {
    if (value === '') throw invalid(criterion, value, 'is empty')
  }
  oneOf('event', input.event, EVENTS)
  oneOf('effect', input.effect, EFFECTS)
  oneOf('outcome', input.outcome, OUTCOMES)
  const { limit, start: startText, end: endText, ...rest } = input
  const start = startText === undefined ? undefined : moment('start', startText, '000000')
  const end = endText === undefined ? undefined : moment('end', endText, '999999')
  if (start !== undefined && end !== undefined && start > end)
    throw invalid('start', startText, `is after end \`${endText}\``)
  if (limit !== undefined && !/^[1-9]\d{0,14}$/.test(limit))
    throw invalid('limit', limit, 'is no positive whole number')
  return {
    ...rest,
    ...(start === undefined ? {} : { start }),
    ...(end === undefined ? {} : { end }),
    ...(limit === undefined ? {} : { limit: Number(limit) }),
  }
}

function invalid(criterion: string, value: string | undefined, problem: string, hint?: string): LedgerError {
  return new LedgerError('QUERY_INVALID', `${criterion} \`${value}\` ${problem}`, hint === undefined ? {} : { hint })
}

function oneOf(criterion: string, value: string | undefined, values: readonly string[]): void {
  if (value === undefined || values.includes(value)) return
  throw invalid(criterion, value, 'is not known', `one of ${values.join(', ')}`)
}

/** Fills a partial timestamp up to microseconds: to its first moment for `start`, to its last for `end`. */
function moment(criterion: 'start' | 'end', text: string, fill: string): string {
  const parts = /^(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?Z)?$/.exec(text)
  const [, day, time = fill === '000000' ? '00:00:00' : '23:59:59', fraction = ''] = parts ?? []
  const whole = `${day}T${time}.${fraction}${fill.slice(fraction.length)}Z`
  if (isTimestamp(whole)) return whole
  throw invalid(criterion, text, 'is no date or UTC time', 'write it as 2026-11-22 or 2026-11-22T20:18:29Z')
}

/**
 * The entries that fit, in the order of the ledger. Lines that cannot be read are skipped; `onUnreadable` is told of those
 * that may fit, and `verify` says what is wrong with them.
 *
 * A call is looked up in the store's book of calls where that leads to all that a ledger which verifies can have about it. Everything else is
 * found by reading all lines.
 *
 * @throws LedgerError when the store cannot be read
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
    // Where there is nothing to be found there are no lines to look at.
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

export interface SelectOptions {
  /** How many threads may look for something at a time; as many as there are cores unless told. */
  readonly threads?: number | undefined
  /** Told, now and then, how many lines have been looked at. */
  readonly onProgress?: (lines: number) => void
  /** Told the position of each line that may fit and cannot be read. */
  readonly onUnreadable?: (position: number) => void
}

/** What the raw line must have, so that most lines need not be parsed at all. */
function needlesOf(criteria: Criteria): Needles {
  const { requestId, action, agentId, reasonCode, decisionHash, outcome } = criteria
  const wanted = criteria.text?.normalize('NFC').toLowerCase()
  return {
    // As it is escaped there.
    folded: wanted === undefined ? null : JSON.stringify(wanted).slice(1, -1),
    exact: [requestId, action, agentId, reasonCode, decisionHash, outcome]
      .filter((value) => value !== undefined)
      .map((value) => JSON.stringify(value.normalize('NFC'))),
  }
}

/** What one stored line says if it can be read and fits, else null. */
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

/** An entry that the store's book of calls led to. */
export interface LookedUp {
  readonly line: StoredLine
  readonly record: EntryRecord
}

/** The entries of a call that the store's book knows of, in order. The book may lie, have gaps or be damaged, so there may be more. */
export async function lookUpCall(reader: LedgerReader, requestId: string): Promise<readonly LookedUp[]> {
  const wanted = requestId.normalize('NFC')
  const found: LookedUp[] = []
  for (const line of await linesInBook(reader, wanted)) {
    const record = recordOf(line)
    if (record?.entry.request_id === wanted) found.push({ line, record })
  }
  return found
}

/** A book that cannot be read knows nothing; whoever then reads the ledger itself is told how far that can be read. */
async function linesInBook(reader: LedgerReader, requestId: string): Promise<readonly StoredLine[]> {
  try {
    return (await reader.linesOfCall(requestId)) ?? []
  } catch (error) {
    if (error instanceof LedgerError && error.code === 'LEDGER_DAMAGED') return []
    throw error
  }
}

/**
 * Whether this is all that a ledger which verifies can have about a call: a denial, or a decision and its outcome. Without this, whoever can
 * write to the file could hide an outcome by taking it out of the book, which no check looks at.
 */
function isWholeCall(found: readonly LookedUp[]): boolean {
  const entries = found.map(({ record }) => record.entry)
  const decision = entries.find(({ event }) => event === 'decision')
  const isDenied = decision !== undefined && isCallEntry(decision) && decision.decision.effect === 'deny'
  return isDenied || (decision !== undefined && entries.some(({ event }) => event === 'outcome'))
}

const view = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

function fits(entry: LedgerEntry, criteria: Criteria): boolean {
  const { event } = entry
  const time = entry.recorded_at ?? entry.created_at
  if (criteria.event !== undefined && event !== criteria.event) return false
  if (criteria.start !== undefined && !(time !== undefined && time >= criteria.start)) return false
  if (criteria.end !== undefined && !(time !== undefined && time <= criteria.end)) return false
  const call = isCallEntry(entry) ? entry : undefined
  const pairs: readonly (readonly [wanted: string | undefined, is: string | null | undefined])[] = [
    [criteria.requestId, entry.request_id],
    [criteria.action, call?.action],
    [criteria.agentId, call?.agent_id],
    [criteria.effect, call?.decision.effect],
    [criteria.reasonCode, call?.decision.reason_code],
    [criteria.outcome, call?.outcome?.status],
    [criteria.decisionHash, call?.decision.decision_hash],
  ]
  return pairs.every(([wanted, is]) => wanted === undefined || wanted.normalize('NFC') === is)
}

/** Whether a value says `wanted` (lower case) somewhere: in a text, a number, or a key. Parsed lines are of bounded depth. */
function mentions(value: unknown, wanted: string): boolean {
  if (typeof value === 'string') return value.toLowerCase().includes(wanted)
  if (typeof value === 'number' || typeof value === 'boolean') return String(value).includes(wanted)
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(value)) return value.some((item) => mentions(item, wanted))
  return Object.entries(value).some(([key, item]) => key.toLowerCase().includes(wanted) || mentions(item, wanted))
}

/** Whether a number is written in the line with just these digits: Python writes numbers that a parsed entry holds rounded. */
function saysNumber(line: string, wanted: string): boolean {
  return /^-?\d+(?:\.\d+)?$/.test(wanted) && line.includes(wanted)
}

/** Everything on record about one call. `decision` is absent when only an outcome is there. */
export interface CallStory {
  readonly requestId: string
  readonly decision?: EntryRecord
  readonly outcome?: EntryRecord
}

/**
 * One call's decision and outcome, found by its request id or by the position of either entry.
 *
 * @throws LedgerError ENTRY_NOT_FOUND
 */
export async function callStory(
  reader: LedgerReader,
  key: { readonly requestId: string } | { readonly position: number },
): Promise<CallStory> {
  const requestId = 'requestId' in key ? key.requestId : await requestIdAt(reader, key.position)
  let decision: EntryRecord | undefined
  let outcome: EntryRecord | undefined
  for await (const record of select(reader, { requestId })) {
    if (record.entry.event === 'decision') decision ??= record
    if (record.entry.event === 'outcome') outcome ??= record
  }
  if (decision === undefined && outcome === undefined) {
    throw new LedgerError('ENTRY_NOT_FOUND', `no entry with request id \`${requestId}\``)
  }
  return { requestId, ...(decision === undefined ? {} : { decision }), ...(outcome === undefined ? {} : { outcome }) }
}

async function requestIdAt(reader: LedgerReader, position: number): Promise<string> {
  for await (const batch of reader.batches()) {
    const line = batch.find((stored) => stored.position === position)
    if (line === undefined) continue
    const parsed = parseLine(line.bytes)
    if (parsed.ok && isCallEntry(parsed.entry)) return parsed.entry.request_id
    throw new LedgerError('ENTRY_NOT_FOUND', `entry ${position} is not about a call, or cannot be read`)
  }
  throw new LedgerError('ENTRY_NOT_FOUND', `no entry at position ${position}`)
}
