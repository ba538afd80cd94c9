// The recorded entries of the calls of a step in PostgreSQL: open questions, and entries of the same calls.
// The rows are loaded before the step is computed. Without the lock they may be out of date, and then the head has
// moved, so that the statement that writes the step changes nothing.
import {
  type AppendRequest,
  advance,
  type CallRecords,
  type CommitPlan,
  callNumber,
  type EncodedDraft,
  expiryLimit,
  LINE_BYTES_MAX,
  NOT_RECORDED,
  type OpenQuestion,
  type OpenQuestionFilter,
  POSITIONS_OF_CALL_MAX,
  parseLine,
  QUESTION_FIELDS,
  QUESTIONS_MAX,
  questionOf,
  type RecordedCall,
  requestIdOf,
  type Writer,
  withEntry,
} from '@sudoagent/ledger/store'
import type { Session } from '../session/session.js'
import type { Target } from '../session/target.js'
import { hashAt, takesQuestions, withoutQuestions } from './lookup.js'
import type { Known } from './rows.js'

const COLUMNS = QUESTION_FIELDS.join(', ')

/** A text as a column has it: with JSON escapes, since PostgreSQL cannot store the character U+0000. */
export const toColumn = (text: string): string => JSON.stringify(text).slice(1, -1)

/** Empty for a text that `toColumn` did not make, which then equals no other. */
function fromColumn(text: string): string {
  try {
    const value: unknown = JSON.parse(`"${text}"`)
    return typeof value === 'string' ? value : ''
  } catch {
    return ''
  }
}

/** Reads the rows of a ledger on one connection. */
export class RecordLoader {
  readonly #session: Session
  readonly #target: Target
  readonly #schema: string
  readonly #ledger: number

  constructor(session: Session, target: Target, ledger: number) {
    this.#session = session
    this.#target = target
    this.#schema = target.schema
    this.#ledger = ledger
  }

  /**
   * Computes a step from the recorded entries of its calls.
   *
   * @param takesQuestions - whether the database has the table of open questions
   */
  async advance(work: AppendRequest, known: Known, writer: Writer, takesQuestions: boolean): Promise<CommitPlan> {
    const records = takesQuestions ? await this.#load(work, known) : new LoadedRecords(known)
    const step = await advance(work, known.state, writer, records)
    if (step.questions.opened.length > 0 && !takesQuestions) throw withoutQuestions(this.#target)
    if (records.missed.size === 0) return step
    // A refusal names the recorded entry.
    await this.#loadEntries(records, [...records.missed])
    return await advance(work, known.state, writer, records)
  }

  /** The hash of the first entry; null without one. */
  firstHash(): Promise<string | null> {
    return hashAt(this.#session, this.#target, this.#ledger, 1)
  }

  /** The request ids of the questions without a decision, in the order of their entries. */
  async openQuestions({ among, agentId }: OpenQuestionFilter): Promise<readonly string[]> {
    if (!(await takesQuestions(this.#session, this.#target))) return []
    const rows = await this.#session.ask<{ readonly request_id: string }>({
      text: `SELECT request_id FROM ${this.#schema}.open_question WHERE ledger = $1 AND octet_length(request_id) <= 8192
        AND ($2::text[] IS NULL OR request_id = ANY ($2)) AND ($3::text IS NULL OR agent_id = $3) ORDER BY position LIMIT ${QUESTIONS_MAX}`,
      values: [this.#ledger, among?.map(toColumn) ?? null, agentId === undefined ? null : toColumn(agentId)],
    })
    return rows.map(({ request_id: requestId }) => fromColumn(requestId))
  }

  /** Loads what the drafts of a step need. */
  async #load(work: AppendRequest, known: Known): Promise<LoadedRecords> {
    const drafts = 'drafts' in work ? work.drafts : []
    const records = new LoadedRecords(known)
    const asked = drafts.filter(({ question, answered, event }) => {
      return question !== null || answered !== null || (event === 'decision' && known.hasQuestions)
    })
    if (asked.length > 0) await this.#loadQuestions(records, asked, known)
    const looked = drafts.filter(({ once, decidedAt }) => {
      return once || (decidedAt !== null && decidedAt < known.othersUntil)
    })
    await this.#loadEntries(records, looked.map(idOf))
    return records
  }

  /** Loads the entries of calls. */
  async #loadEntries(records: LoadedRecords, requestIds: readonly string[]): Promise<void> {
    if (requestIds.length === 0) return
    const lines = await this.linesOf(requestIds)
    for (const requestId of requestIds) records.calls.set(requestId, NOT_RECORDED)
    for (const { position, line } of lines) {
      const parsed = parseLine(line)
      const requestId = parsed.ok ? requestIdOf(parsed.entry) : null
      const call = requestId === null ? undefined : records.calls.get(requestId)
      if (parsed.ok && requestId !== null && call !== undefined)
        records.calls.set(requestId, withEntry(call, parsed.entry, position))
    }
  }

  /** The lines that may belong to calls, in order. */
  async linesOf(
    requestIds: readonly string[],
  ): Promise<readonly { readonly position: number; readonly line: Uint8Array }[]> {
    const rows = await this.#session.ask<{ readonly position: string; readonly entry_json: string }>({
      text: `SELECT position, entry_json FROM ${this.#schema}.entry WHERE ledger = $1 AND call = ANY ($2::bigint[])
        AND octet_length(entry_json) <= ${LINE_BYTES_MAX} ORDER BY position LIMIT $3`,
      values: [this.#ledger, requestIds.map(callNumber), POSITIONS_OF_CALL_MAX * requestIds.length],
    })
    return rows.map(({ position, entry_json: line }) => ({ position: Number(position), line: Buffer.from(line) }))
  }

  async #loadQuestions(records: LoadedRecords, drafts: readonly EncodedDraft[], known: Known): Promise<void> {
    const table = `${this.#schema}.open_question`
    const [rows, counts, [any]] = (await this.#session.askTogether(
      {
        name: `sudoagent_questions_${this.#schema}`,
        text: `SELECT ${COLUMNS} FROM ${table} WHERE ledger = $1 AND request_id = ANY ($2::text[])`,
        values: [this.#ledger, drafts.map((draft) => toColumn(idOf(draft)))],
      },
      {
        name: `sudoagent_question_counts_${this.#schema}`,
        text: `SELECT agent_id, count(*)::integer AS open FROM ${table} WHERE $3 AND ledger = $1 AND expires_at >= $2 GROUP BY agent_id`,
        values: [this.#ledger, expiryLimit(known.state.head.recordedAt), isAsking({ drafts })],
      },
      {
        name: `sudoagent_question_any_${this.#schema}`,
        text: `SELECT EXISTS (SELECT 1 FROM ${table} WHERE ledger = $1) AS any`,
        values: [this.#ledger],
      },
    )) as [QuestionRow[], { readonly agent_id: string; readonly open: number }[], { readonly any: boolean }[]]
    for (const row of rows) {
      const question = rowToQuestion(row)
      if (question !== null) records.questions.set(question.requestId, question)
    }
    for (const { agent_id: agentId, open } of counts) records.counts.set(fromColumn(agentId), open)
    records.hasQuestions = any?.any === true
  }
}

/** Whether a step records a question. */
export const isAsking = (work: AppendRequest): boolean =>
  'drafts' in work && work.drafts.some(({ question }) => question !== null)

const idOf = ({ requestId }: EncodedDraft): string => requestId ?? ''

type QuestionRow = Readonly<Record<string, string | null>>

/** Null for a row that does not have the form of a question. */
function rowToQuestion(row: QuestionRow): OpenQuestion | null {
  const numbers = ['position', 'registry_position', 'redacted']
  return questionOf(
    QUESTION_FIELDS.map((name) => {
      const value = row[name] ?? null
      if (value === null || name === 'commitment') return value
      return numbers.includes(name) ? Number(value) : fromColumn(value)
    }),
  )
}

export class LoadedRecords implements CallRecords {
  readonly questions = new Map<string, OpenQuestion>()
  /** Numbers of open questions, by agent. */
  readonly counts = new Map<string, number>()
  readonly calls = new Map<string, RecordedCall>()
  /** Request ids whose entries were asked for, and had not been loaded. */
  readonly missed = new Set<string>()
  readonly othersUntil: number
  hasQuestions: boolean

  constructor({ hasQuestions, othersUntil }: Known) {
    this.hasQuestions = hasQuestions
    this.othersUntil = othersUntil
  }

  find(requestId: string): OpenQuestion | undefined {
    return this.questions.get(requestId)
  }

  count(agentId: string): { readonly ofLedger: number; readonly ofAgent: number } {
    const ofLedger = [...this.counts.values()].reduce((sum, open) => sum + open, 0)
    return { ofLedger, ofAgent: this.counts.get(agentId) ?? 0 }
  }

  entriesOf(requestId: string): RecordedCall {
    const call = this.calls.get(requestId)
    if (call === undefined) this.missed.add(requestId)
    return call ?? NOT_RECORDED
  }
}
