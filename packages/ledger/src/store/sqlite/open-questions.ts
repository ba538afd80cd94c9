// The open questions of a SQLite ledger: one row for each question without a decision. The decision must carry the
// values of the row; a question whose row is missing is not open. Rows are written with the entries that they follow
// from, and no other append touches them.
import type Database from 'better-sqlite3'
import { QUESTIONS_MAX } from '../../limits.js'
import type { OpenQuestionFilter } from '../../port/writer.js'
import { QUESTION_FIELDS, questionFields, questionOf } from '../../standing/question-fields.js'
import type { OpenQuestion, QuestionView } from '../../standing/questions.js'
import type { QuestionChanges } from '../../write/call-records.js'

/** A column is null unless its value fits, since a row may contain any value. */
const FITTING = QUESTION_FIELDS.map((column) => `CASE WHEN octet_length(${column}) <= 1024 THEN ${column} END`).join(
  ', ',
)

export class OpenQuestions implements QuestionView {
  readonly #statements: Readonly<
    Record<'any' | 'ids' | 'find' | 'count' | 'ofAgent' | 'put' | 'close' | 'drop' | 'clear', Database.Statement>
  >
  #hasAny: boolean | null = null

  constructor(db: Database.Database) {
    const open = 'FROM sudoagent_open NOT INDEXED WHERE expires_at >= ?'
    const one = 'FROM sudoagent_open INDEXED BY sqlite_autoindex_sudoagent_open_1 WHERE request_id = ?'
    this.#statements = {
      any: db.prepare('SELECT EXISTS (SELECT 1 FROM sudoagent_open NOT INDEXED)').pluck(),
      ids: db
        .prepare(
          `SELECT request_id FROM sudoagent_open NOT INDEXED WHERE typeof(request_id) = 'text' AND octet_length(request_id) <= 1024
            AND agent_id = coalesce(?, agent_id) ORDER BY position LIMIT ${QUESTIONS_MAX}`,
        )
        .pluck(),
      find: db.prepare(`SELECT ${FITTING} ${one}`).raw(),
      count: db.prepare(`SELECT count(*) FROM (SELECT 1 ${open} LIMIT ${QUESTIONS_MAX})`).pluck(),
      ofAgent: db.prepare(`SELECT count(*) ${open} AND agent_id = ?`).pluck(),
      put: db.prepare(
        `INSERT OR REPLACE INTO sudoagent_open (${QUESTION_FIELDS.join(', ')}) VALUES (${QUESTION_FIELDS.map(() => '?').join(', ')})`,
      ),
      close: db.prepare(`DELETE ${one}`),
      drop: db.prepare('DELETE FROM sudoagent_open NOT INDEXED WHERE expires_at < ?'),
      clear: db.prepare('DELETE FROM sudoagent_open NOT INDEXED'),
    }
  }

  get isEmpty(): boolean {
    this.#hasAny ??= this.#statements.any.get() === 1
    return !this.#hasAny
  }

  /** Another process may have changed the rows, or a transaction was rolled back. */
  forget(): void {
    this.#hasAny = null
  }

  find(requestId: string): OpenQuestion | undefined {
    const row = this.#statements.find.get(requestId) as readonly unknown[] | undefined
    return row === undefined ? undefined : (questionOf(row.map(fromColumn)) ?? undefined)
  }

  count(agentId: string, expiredBefore: string): { readonly ofLedger: number; readonly ofAgent: number } {
    const ofLedger = Number(this.#statements.count.get(expiredBefore))
    return { ofLedger, ofAgent: Number(this.#statements.ofAgent.get(expiredBefore, agentId)) }
  }

  /** The request ids of the rows that the filter selects: in the order of their entries, or of `among`. */
  requestIds({ among, agentId }: OpenQuestionFilter): readonly string[] {
    if (among === undefined) return this.#statements.ids.all(agentId ?? null) as readonly string[]
    return among.filter((id) => {
      const question = this.find(id)
      return question !== undefined && (agentId ?? question.agentId) === question.agentId
    })
  }

  /** Writes what a step changes. */
  apply({ opened, closed, expiredBefore }: QuestionChanges): void {
    if (opened.length === 0 && closed.length === 0) return
    if (expiredBefore !== null) this.#statements.drop.run(expiredBefore)
    for (const requestId of closed) this.#statements.close.run(requestId)
    for (const question of opened) this.#statements.put.run(...questionFields(question).map(toColumn))
    this.#hasAny = opened.length > 0 ? true : null
  }

  /** Drops all rows, before they are made from all entries. */
  clear(): void {
    this.#statements.clear.run()
    this.forget()
  }
}

// Hashes are stored as bytes: a writer checks every page of the file when it opens it, so small rows open faster.

const HASH = /^[0-9a-f]{64}$/
const HASH_BYTES = 32
const isHashColumn = (n: number): boolean => QUESTION_FIELDS[n]?.endsWith('_hash') === true

const toColumn = (value: string | number | null, n: number): string | number | Uint8Array | null =>
  typeof value === 'string' && isHashColumn(n) && HASH.test(value) ? Buffer.from(value, 'hex') : value

const fromColumn = (value: unknown, n: number): unknown =>
  value instanceof Uint8Array && isHashColumn(n) && value.length === HASH_BYTES
    ? Buffer.from(value).toString('hex')
    : value
