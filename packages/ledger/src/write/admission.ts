// Admits the drafts of a step one by one, each as if those before it were recorded, and refuses what the rules of the
// ledger forbid.
import type { Asked } from '@sudoagent/crypto/entry'
import { scopeText } from '@sudoagent/crypto/entry'
import type { ScopedCall } from '../authority/stop-scope.js'
import { LedgerError } from '../error.js'
import { answerProblem, askedProblem, expiryLimit, openQuestion, stillOpen } from '../standing/questions.js'
import { type ControlRow, type Standing, standingOf, stepStanding } from '../standing/standing.js'
import { coveringStop } from '../standing/stops.js'
import { type CallRecords, NO_CHANGES, type QuestionChanges, type RecordedCall } from './call-records.js'
import type { EncodedDraft } from './encode-draft.js'
import { type Admit, approvalOver, type PlacedEntry } from './link-batch.js'
import { StepRecords } from './step-records.js'

export class Admission {
  standing: Standing
  readonly rows: ControlRow[] = []
  ringAt: number | null = null
  readonly #records: StepRecords
  readonly #keyId: string | null
  #expiredBefore: string | null = null
  /** Position of the last outcome that was given by request id; null if there is none. */
  outcomeByIdAt: number | null = null

  constructor(standing: Standing, records: CallRecords, keyId: string | null) {
    this.standing = standingOf(standing)
    this.#records = new StepRecords(records)
    this.#keyId = keyId
  }

  /** The changes of the kept questions by the admitted drafts. */
  get questions(): QuestionChanges {
    const { opened, closed } = this.#records
    const isUnchanged = opened.length === 0 && closed.length === 0
    return isUnchanged ? NO_CHANGES : { opened, closed, expiredBefore: this.#expiredBefore }
  }

  readonly admit: Admit = (draft, entry, before) => {
    const { control, event, requestId } = draft
    if (control?.kind === 'asked') return this.#admitQuestion(control, draft, entry, before)
    if (event === 'outcome') return this.#refuseOutcome(requestId ?? '', draft, entry)
    if (event === 'decision') return this.#admitDecision(requestId ?? '', draft, entry, before)
    return control === null ? null : this.#admitControl(draft, entry)
  }

  #admitControl({ control }: EncodedDraft, { position, entryHash }: PlacedEntry): LedgerError | null {
    const before = this.standing
    const { standing, problem, row } = stepStanding(before, { block: control, entryHash, keyId: this.#keyId }, position)
    if (problem !== null) return refused(problem.message)
    this.standing = standing
    if (row !== null) this.rows.push(row)
    if (standing.ring !== before.ring) this.ringAt = position
    return null
  }

  #admitQuestion(asked: Asked, { once }: EncodedDraft, entry: PlacedEntry, before: string | null): LedgerError | null {
    const { request_id: requestId, agent_id: agentId, action, authority = null } = asked
    if (once) {
      const { decision, asked: askedAt } = this.#records.entriesOf(requestId, 0)
      if (decision !== null) return decided(requestId, { decision })
      if (askedAt !== null) return decided(requestId, { asked: askedAt })
    }
    const stopped = this.#refuseStopped({ agentId, action, authority })
    if (stopped !== null) return stopped
    const { recordedAt } = entry
    const problem = askedProblem(asked, this.#records, { recordedAt, before })
    if (problem?.full !== undefined)
      return new LedgerError('QUESTIONS_FULL', `the question is not recorded: ${problem.full}`)
    if (problem !== null) return refused(problem.message)
    this.#records.open(openQuestion(asked, entry.position))
    this.#expiredBefore = expiryLimit(before)
    return null
  }

  #admitDecision(
    requestId: string,
    draft: EncodedDraft,
    { position, recordedAt }: PlacedEntry,
    before: string | null,
  ): LedgerError | null {
    const { answered, allowed, once } = draft
    if (once) {
      const { decision } = this.#records.entriesOf(requestId, 0)
      if (decision !== null) return decided(requestId, { decision })
    }
    const question = this.#records.hasQuestions ? stillOpen(this.#records, requestId, before) : undefined
    if (answered !== null && question === undefined) return this.#closed(requestId)
    const problem = answerProblem(answered, question) ?? draft.answerProblem
    if (problem !== null) return refused(problem.message)
    const refusal = approvalOver(draft, recordedAt) ?? (allowed === null ? null : this.#refuseStopped(allowed))
    if (refusal !== null) return refusal
    if (question !== undefined) this.#records.close(question.requestId)
    this.#records.decide(requestId, { position, effect: allowed === null ? 'deny' : 'allow' })
    return null
  }

  /** The error of a decision whose question is not open. */
  #closed(requestId: string): LedgerError {
    const { decision } = this.#records.entriesOf(requestId, 0)
    const why =
      decision === null ? 'it has expired, or was never recorded' : `entry ${decision.position} is its decision`
    const message = `the question of request \`${requestId}\` is not open: ${why}`
    return new LedgerError('QUESTION_CLOSED', message, { recorded: decision })
  }

  #refuseOutcome(requestId: string, { once, decidedAt }: EncodedDraft, { position }: PlacedEntry): LedgerError | null {
    const mayBeOther = decidedAt !== null && decidedAt < this.#records.othersUntil
    if (once || mayBeOther) {
      const { decision, outcome } = this.#records.entriesOf(requestId, once ? 0 : (decidedAt ?? 0))
      if (outcome !== null) {
        const message = `entry ${outcome} is the outcome of request \`${requestId}\``
        return new LedgerError('OUTCOME_RECORDED', message, { recorded: { position: outcome, effect: null } })
      }
      if (once && decision?.effect !== 'allow')
        return refused(`request \`${requestId}\` has no decision that allows it`)
    }
    if (once) this.outcomeByIdAt = position
    this.#records.end(requestId, position)
    return null
  }

  #refuseStopped(call: ScopedCall): LedgerError | null {
    const stop = coveringStop(this.standing.stops, call)
    if (stop === undefined) return null
    return new LedgerError('STOPPED', `calls are stopped: ${scopeText(stop.scope)} (stop \`${stop.stopId}\`)`)
  }
}

const refused = (why: string): LedgerError => new LedgerError('ENTRY_REFUSED', `the ledger refuses this entry: ${why}`)

function decided(requestId: string, { decision, asked }: Partial<RecordedCall>): LedgerError {
  const recorded = decision ?? { position: asked ?? 0, effect: null }
  const what = decision === undefined ? 'the question' : 'the decision'
  const message = `entry ${recorded.position} is ${what} of request \`${requestId}\``
  return new LedgerError('CALL_DECIDED', message, { recorded })
}
