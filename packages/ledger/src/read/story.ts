// Finds everything that a ledger says about one call: the question whether it may run, the decision and the outcome.
//
//   entry 20  asked      question   open until entry 31
//   entry 31  decision   allow, with the requirement of the question
//   entry 32  outcome    success
//
// A call that needed no approval does not have a question. An unanswered question is all that its call has.
import type { Asked } from '@sudoagent/crypto/entry'
import { askedOf, requestIdOf } from '../entry/control.js'
import { isCallEntry } from '../entry/entry.js'
import { type EntryRecord, recordOf } from '../entry/record.js'
import type { StoredLine } from '../entry/stored-line.js'
import { LedgerError } from '../error.js'
import type { LedgerReader } from '../port/reader.js'
import { expiryLimit, isExpired } from '../standing/questions.js'
import { isAnswer, select } from './query.js'

/** A question, and whether the entries after it answer it. */
export interface QuestionRecord extends EntryRecord {
  readonly asked: Asked
  /**
   * `open`: a decision can still answer it, according to the last entry. `expired`: an entry was recorded more than a
   * minute after its deadline, and no decision before.
   */
  readonly state: 'open' | 'answered' | 'expired'
}

/**
 * The entries of a call. `decision` is absent if the ledger has only the question or the outcome. `question` is the
 * one that the decision answers, or the last one without a decision.
 */
export interface CallStory {
  readonly requestId: string
  readonly question?: QuestionRecord
  readonly decision?: EntryRecord
  readonly outcome?: EntryRecord
  /** Other entries with the request id, at most 100: earlier questions, and entries that `verify` reports. */
  readonly others: readonly EntryRecord[]
}

/** Maximum number of other entries. A valid call has few; a hostile ledger may have a million. */
const OTHERS_MAX = 100

/**
 * Finds the entries of a call by its request id or by the position of one of them.
 *
 * @throws LedgerError ENTRY_NOT_FOUND
 */
export async function callStory(
  reader: LedgerReader,
  key: { readonly requestId: string } | { readonly position: number },
): Promise<CallStory> {
  const requestId = 'requestId' in key ? key.requestId : await requestIdAt(reader, key.position)
  let question: EntryRecord | undefined
  let decision: EntryRecord | undefined
  let outcome: EntryRecord | undefined
  const others: EntryRecord[] = []
  const keep = (record: EntryRecord | undefined): void => {
    if (record !== undefined && others.length < OTHERS_MAX) others.push(record)
  }
  for await (const record of select(reader, { requestId })) {
    const { event } = record.entry
    if (event === 'decision' && decision === undefined) decision = record
    else if (event === 'outcome' && outcome === undefined) outcome = record
    else if (askedOf(record.entry) === null || decision !== undefined) keep(record)
    else {
      // A new question replaces one that has expired.
      keep(question)
      question = record
    }
  }
  if (question === undefined && decision === undefined && outcome === undefined) {
    throw new LedgerError('ENTRY_NOT_FOUND', `no entry with request id \`${requestId}\``)
  }
  const asked = question === undefined ? undefined : await questionRecord(reader, question, decision)
  return {
    requestId,
    ...(asked === undefined ? {} : { question: asked }),
    ...(decision === undefined ? {} : { decision }),
    ...(outcome === undefined ? {} : { outcome }),
    others,
  }
}

async function questionRecord(
  reader: LedgerReader,
  record: EntryRecord,
  decision: EntryRecord | undefined,
): Promise<QuestionRecord | undefined> {
  const asked = askedOf(record.entry)
  if (asked === null) return undefined
  const until = decision === undefined ? await lastRecordedAt(reader) : (decision.entry.recorded_at ?? null)
  const isOver = isExpired({ expiresAt: asked.expires_at }, expiryLimit(until))
  if (decision === undefined) return { ...record, asked, state: isOver ? 'expired' : 'open' }
  // A decision without the requirement can follow a question only if the question had expired.
  const isAnswered = (isCallEntry(decision.entry) && isAnswer(decision.entry)) || !isOver
  return { ...record, asked, state: isAnswered ? 'answered' : 'expired' }
}

/** `recorded_at` of the last readable entry that has one; null if there is none. */
async function lastRecordedAt(reader: LedgerReader): Promise<string | null> {
  const last = reader.sizeHint === undefined ? null : recordedAtOf(await lineOrNull(reader, reader.sizeHint))
  if (last !== null) return last
  let latest: string | null = null
  for await (const batch of reader.batches()) {
    const line = batch.findLast((stored) => recordedAtOf(stored) !== null)
    latest = line === undefined ? latest : recordedAtOf(line)
  }
  return latest
}

const recordedAtOf = (line: StoredLine | null): string | null =>
  (line === null ? null : recordOf(line)?.entry.recorded_at) ?? null

/** A damaged store is read from its beginning, as far as it goes. */
async function lineOrNull(reader: LedgerReader, position: number): Promise<StoredLine | null> {
  try {
    return await reader.lineAt(position)
  } catch (error) {
    if (error instanceof LedgerError && error.code === 'LEDGER_DAMAGED') return null
    throw error
  }
}

async function requestIdAt(reader: LedgerReader, position: number): Promise<string> {
  const requestId = requestIdOf((await entryAt(reader, position)).entry)
  if (requestId !== null) return requestId
  throw new LedgerError('ENTRY_NOT_FOUND', `entry ${position} is not about a call`)
}

/**
 * Reads the entry at a position.
 *
 * @throws LedgerError ENTRY_NOT_FOUND if there is none, or if it cannot be read
 */
export async function entryAt(reader: LedgerReader, position: number): Promise<EntryRecord> {
  for await (const batch of reader.batches()) {
    const line = batch.find((stored) => stored.position === position)
    if (line === undefined) continue
    const record = recordOf(line)
    if (record !== null) return record
    throw new LedgerError('ENTRY_NOT_FOUND', `entry ${position} cannot be read`, {
      hint: '`sudoagent verify` shows the problem',
    })
  }
  throw new LedgerError('ENTRY_NOT_FOUND', `no entry at position ${position}`)
}
