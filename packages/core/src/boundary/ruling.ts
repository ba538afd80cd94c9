// Steps two to five of a call: policy, budget, approval, unchanged arguments. The result is a ruling that is not
// recorded yet; a refusal is recorded here.
import type { BudgetBlock } from '@sudoagent/ledger/entry'
import { commitBudget, releaseBudget, reserveBudget } from '../call/budget-step.js'
import { requireClock } from '../call/clock-check.js'
import { concealedRefusal, handleConcealed, questionOf } from '../call/concealed.js'
import type { Decision, DecisionRequest } from '../call/decision.js'
import type { Denials } from '../call/denials.js'
import { DraftRefused } from '../call/draft-refused.js'
import { evaluatePolicy } from '../call/policy-step.js'
import type { Recorder } from '../call/recorder.js'
import { boundaryRefusal, Refusal } from '../call/refusal.js'
import { type PendingCall, requireUnchanged } from '../call/unchanged.js'
import { AuditLogError, type CallDenied } from '../error.js'
import type { EngineParts } from '../options.js'
import { noticeOf } from '../policy/context.js'
import type { CheckedPolicyResult } from '../policy/policy.js'
import { unansweredBlock } from '../question/approval-block.js'
import { seekApproval } from '../question/approval-step.js'
import type { Attached } from '../question/attach.js'
import { OpenQuestions } from '../question/open-questions.js'
import { StillPending } from '../question/pending.js'
import type { QuestionDesk } from '../question/question-desk.js'
import { type RecordedQuestion, recordQuestion, recordsQuestions } from '../question/question-step.js'

/** The results of steps two to five. */
export interface Ruled {
  readonly asked: PendingCall
  readonly ruling: Decision
  readonly letThrough: CheckedPolicyResult
  readonly question: RecordedQuestion | null
}

/** A call, and the question that it attached to. */
export interface RuledCall {
  /** Replaced by the call under the id of the question, when the call attaches to one. */
  asked: PendingCall
  attached: Attached | null
}

export class Rulings {
  readonly #parts: EngineParts
  readonly #recorder: Recorder
  readonly #denials: Denials
  readonly #desk: QuestionDesk
  readonly #open = new OpenQuestions()

  constructor(parts: EngineParts, recorder: Recorder, denials: Denials, desk: QuestionDesk) {
    this.#parts = parts
    this.#recorder = recorder
    this.#denials = denials
    this.#desk = desk
  }

  /**
   * Runs steps two to five.
   *
   * @param call - `asked` is replaced if the call attaches to a question
   * @throws the error for the caller, after the refusal was recorded
   */
  async rule(call: RuledCall): Promise<Ruled> {
    const { terms } = call.asked
    const { approvalStore: store, clock, timeoutMs } = this.#parts
    const approver = terms.approver ?? this.#parts.approver
    let budget: BudgetBlock | null = null
    let reserved = false
    let approval: Decision['approval'] = null
    let letThrough: CheckedPolicyResult | null = null
    let question: RecordedQuestion | null = call.attached?.question ?? null
    try {
      const result = await evaluatePolicy(this.#parts, call.asked.request, terms.policy)
      const { decision, reason, reasonCode, ruleId: rule } = result
      if (decision === 'deny') throw new Refusal({ code: reasonCode, reason })
      letThrough = result
      const { signal, budgetCost, once, wait, mayPend } = terms
      const notice = noticeOf(call.asked.request.context)
      const handling = handleConcealed(decision, notice, this.#parts.onConcealed)
      if (handling === 'deny') throw concealedRefusal(notice)
      const asks = handling === 'ask' || question !== null
      if (asks && question === null && terms.attach !== null) {
        call.attached = await this.#findQuestion(call.asked)
        call.asked = call.attached?.asked ?? call.asked
        question = call.attached?.question ?? null
      }
      const record = call.attached?.record ?? null
      const askedMs = result.withinMs ?? terms.approvalTtlMs
      const ttlMs = record === null ? askedMs : Math.max(1, record.expiresAt.getTime() - clock().getTime())
      if (asks && record === null) await requireClock(this.#parts)
      const { request } = call.asked
      const desk = this.#budgetDesk()
      reserved = desk !== null
      // The budget is checked before the approval, so that people are not asked about a call that exceeds a budget.
      budget = desk === null ? null : await reserveBudget(desk, request, budgetCost, asks ? ttlMs + timeoutMs : 0)
      if (asks) {
        approval = await this.#open.while(request, async () => {
          // Before the question is open, so that no other call of this engine looks at it.
          const isNew = question === null && recordsQuestions(this.#parts.ledger)
          const holder = isNew && wait ? this.#desk.waiters.begin(request.context.requestId) : undefined
          question ??= await recordQuestion(this.#parts, this.#recorder, request, { rule, ttlMs, once })
          const isOpen = (approvalId: string) => this.#desk.isOpen(approvalId)
          return await seekApproval({ approver, store, clock, timeoutMs, isOpen }, request, {
            reason: questionOf(reason, notice, terms.remark),
            ttlMs,
            signal,
            question,
            record,
            holder,
            wait,
            mayPend,
          })
        })
        // The reservation may have expired while the approval was open, so the same charge is reserved again.
        if (desk !== null) await reserveBudget(desk, request, budgetCost)
      }
      requireUnchanged(call.asked, this.#parts.unicode)
      if (desk !== null && budget !== null) await commitBudget(desk, request, budget)
      const ruling = {
        effect: 'allow',
        reason,
        reasonCode,
        approval: this.#denials.withoutSecret(approval),
        budget,
      } as const
      return { asked: call.asked, ruling, letThrough: result, question }
    } catch (error) {
      if (error instanceof AuditLogError || error instanceof StillPending) throw error
      const { request } = call.asked
      this.#denials.reportDamage(request, error)
      const found = { approval: approval ?? unansweredBlock(request, question), budget, letThrough }
      const { denied, isDenied } =
        error instanceof DraftRefused
          ? await this.#denials.refuseDraft(request, terms, error, found)
          : await this.#denials.refuse(request, terms, asRefusal(error), found)
      // The charge is released only after the denial is durable, because until then the call may still run.
      if (reserved && isDenied) await this.#release(request)
      this.#desk.calls.forget(request.context.requestId)
      throw denied
    }
  }

  /** Finds an open question of an equal call. */
  async #findQuestion(asked: PendingCall): Promise<Attached | null> {
    try {
      return await this.#desk.find(asked)
    } catch (cause) {
      const reason = 'the open questions could not be read'
      throw new Refusal({ kind: 'approval', code: 'APPROVAL_PROCESS_FAILED', reason, cause })
    }
  }

  /**
   * Ends a call whose decision the ledger did not take. A decision whose write failed may still become durable, so a
   * call whose question is recorded keeps its charge.
   */
  async giveBack({ asked: { request, terms }, ruling, letThrough }: Ruled, error: unknown): Promise<never> {
    const { budget, approval } = ruling
    if (error instanceof DraftRefused) {
      const { denied, isDenied } = await this.#denials.refuseDraft(request, terms, error, {
        approval,
        budget,
        letThrough,
      })
      if (budget !== null && isDenied) await this.#release(request)
      throw denied
    }
    if (budget !== null && approval === null && !terms.once) await this.#release(request)
    throw error
  }

  /** Records the denial of a call whose question cannot be used any more. @returns the error for the caller */
  async refuse(kind: 'stale' | 'expired', { asked, question }: Attached): Promise<CallDenied> {
    const { request, terms } = asked
    const refusal =
      kind === 'stale'
        ? new Refusal({ code: 'APPROVAL_STALE', reason: 'the approval was requested under another policy' })
        : new Refusal({ code: 'APPROVAL_EXPIRED', reason: 'the time for the approval is over' })
    const found = { approval: unansweredBlock(request, question), budget: null, letThrough: null }
    const { denied, isDenied } = await this.#denials.refuse(request, terms, refusal, found)
    if (isDenied) await this.#release(request)
    return denied
  }

  async #release(request: DecisionRequest): Promise<void> {
    const desk = this.#budgetDesk()
    try {
      if (desk !== null) await releaseBudget(desk, request)
    } catch (error) {
      this.#recorder.fault({ stage: 'budget', requestId: request.context.requestId, error })
    }
  }

  #budgetDesk() {
    const { budget: store, clock, timeoutMs } = this.#parts
    return store === null ? null : { store, clock, timeoutMs }
  }
}

const asRefusal = (error: unknown): Refusal => (error instanceof Refusal ? error : boundaryRefusal(error))
