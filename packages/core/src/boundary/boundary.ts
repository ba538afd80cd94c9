// Takes a call through eight steps. If one of the first six fails, the function does not run:
//
// 1. context: copies and redacts the arguments, and computes the decision hash (`call-step.ts`, LEDGER-FORMAT §3)
// 2. policy: evaluates the context (`policy-step.ts`)
// 3. budget: reserves the cost before an approver is asked (`budget-step.ts`)
// 4. approval: if the policy requires an approval, records the question, asks an approver and uses the approval once
//    (`question-step.ts`, `approval-step.ts`)
// 5. unchanged arguments: compares the caller's arguments with the snapshot again, then commits the charge
// 6. decision: records an allowed or denied call durably (`recorder.ts`, entries as in LEDGER-FORMAT §2)
// 7. function: the holder of the authorization runs the function (`engine.ts`, or a framework)
// 8. outcome: records the outcome in a second entry; the first entry is the decision, with its approval block
import type { AppendedEntry } from '@sudoagent/ledger'
import type { BudgetBlock } from '@sudoagent/ledger/entry'
import { commitBudget, releaseBudget, reserveBudget } from '../call/budget-step.js'
import { takeCall } from '../call/call-step.js'
import { requireClock } from '../call/clock-check.js'
import { concealedRefusal, handleConcealed, questionOf } from '../call/concealed.js'
import type { Decision, DecisionRequest } from '../call/decision.js'
import { Denials } from '../call/denials.js'
import { DraftRefused } from '../call/draft-refused.js'
import { evaluatePolicy } from '../call/policy-step.js'
import { type CallOutcome, Recorder } from '../call/recorder.js'
import { boundaryRefusal, Refusal } from '../call/refusal.js'
import { isSameReceiver, type PendingCall, requireUnchanged } from '../call/unchanged.js'
import { ApprovalDenied, AuditLogError, BoundaryError, CallDenied, makeDenial } from '../error.js'
import { type CheckedCallOptions, type EngineParts, requireNoSecret } from '../options.js'
import { noticeOf } from '../policy/context.js'
import type { CheckedPolicyResult } from '../policy/policy.js'
import { seekApproval, unansweredBlock } from '../question/approval-step.js'
import { OpenQuestions } from '../question/open-questions.js'
import { type RecordedQuestion, recordQuestion } from '../question/question-step.js'
import { recordRefusedQuestions } from '../question/refused-questions.js'
import { UsedApprovals } from '../question/used-approvals.js'

/** An allowed call whose decision is durably recorded. The function must run with `args`, which the decision covers. */
export interface Authorization {
  readonly status: 'allowed'
  readonly requestId: string
  readonly decisionHash: string
  /** The position of the decision in the ledger, from 1. */
  readonly position: number
  readonly reason: string
  readonly reasonCode: string
  readonly args: readonly unknown[]
}

/** An authorized call without an outcome. */
interface RunningCall {
  readonly asked: PendingCall
  readonly ruling: Decision
  /** The position of the decision. */
  readonly position: number
}

/** The results of steps two to five. */
interface Ruled {
  readonly ruling: Decision
  readonly letThrough: CheckedPolicyResult
  readonly question: RecordedQuestion | null
}

/** Decides about calls and records the decisions. */
export class Boundary {
  readonly #parts: EngineParts
  readonly #recorder: Recorder
  readonly #denials: Denials
  readonly #open = new OpenQuestions()
  readonly #used: UsedApprovals
  readonly #running = new WeakMap<object, RunningCall>()

  constructor(parts: EngineParts) {
    this.#parts = parts
    this.#recorder = new Recorder(parts)
    this.#denials = new Denials(parts, this.#recorder)
    this.#used = new UsedApprovals(parts, this.#recorder)
  }

  /** The number of outcomes that could not be recorded. */
  get outcomeFailures(): number {
    return this.#recorder.outcomeFailures
  }

  /**
   * Runs steps one to six. If possible, a refusal is recorded before the error is thrown.
   *
   * @throws (as a rejection) CallDenied, or the reason of a signal that was already aborted
   */
  async authorize(
    action: string,
    args: readonly unknown[],
    terms: CheckedCallOptions,
    receiver?: unknown,
  ): Promise<Authorization> {
    terms.signal?.throwIfAborted()
    requireNoSecret('action', action, this.#parts.redactor)
    let requestId = ''
    try {
      requestId = terms.generateId()
      return await this.#decide(requestId, action, args, terms, receiver)
    } catch (cause) {
      if (cause instanceof CallDenied) throw cause
      const denial = makeDenial('BOUNDARY_FAILED', 'an internal error occurred', requestId, null)
      throw new BoundaryError(denial, { action, cause })
    }
  }

  async #decide(
    requestId: string,
    action: string,
    args: readonly unknown[],
    terms: CheckedCallOptions,
    receiver: unknown,
  ): Promise<Authorization> {
    const asked = await takeCall({ requestId, action, args, terms, receiver }, this.#parts, this.#denials)
    const ruled = await this.#rule(asked)
    const { ruling, question } = ruled
    const { request, snapshot } = asked
    const { position } = await this.#recorder
      .decision(request, ruling, undefined, undefined, terms.once)
      .catch((error: unknown) => this.#giveBack(asked, ruled, error))
    if (question !== null) this.#used.follow(request)
    const { reason, reasonCode } = ruling
    const authorization: Authorization = Object.freeze({
      status: 'allowed',
      requestId,
      decisionHash: request.decisionHash,
      position,
      reason,
      reasonCode,
      args: snapshot.values,
    })
    this.#running.set(authorization, { asked, ruling, position })
    return authorization
  }

  /** Reports the cause of a returned denial to the error hook, because a denial does not contain its cause. */
  reportDenied({ denial, cause, requestId }: CallDenied): void {
    const { code, retryable } = denial
    // The recorder has already reported permanent failures.
    if ((code === 'LEDGER_WRITE_FAILED_DECISION' && retryable) || code === 'BOUNDARY_FAILED')
      this.#recorder.fault({ stage: 'decision', requestId, error: cause })
  }

  /** Whether this engine issued the authorization and the outcome has not been recorded yet. */
  isOpen(authorization: Authorization): boolean {
    return this.#running.has(authorization)
  }

  /**
   * Checks that `this` is unchanged, if it is part of the call. The method receives the object itself, not a copy.
   *
   * @throws ApprovalDenied PARAMETERS_CHANGED
   */
  requireReceiver(authorization: Authorization): void {
    const asked = this.#running.get(authorization)?.asked
    if (asked?.receiver === undefined) return
    if (isSameReceiver(asked, this.#parts.unicode)) return
    const { requestId, action } = asked.request.context
    const reason = 'the object that the method belongs to changed after the decision'
    throw new ApprovalDenied(makeDenial('PARAMETERS_CHANGED', reason, requestId, asked.request.decisionHash), {
      action,
    })
  }

  /**
   * Step eight: records the outcome of an authorized call, once.
   *
   * @returns whether the outcome was recorded
   * @throws TypeError (as a rejection) if this engine did not authorize the call, or the outcome was already recorded
   */
  async finish(authorization: Authorization, outcome: CallOutcome): Promise<boolean> {
    const running = this.#running.get(authorization)
    if (running === undefined) {
      throw new TypeError('this engine did not issue the authorization, or the outcome was already recorded')
    }
    this.#running.delete(authorization)
    return await this.#recorder.outcome(running.asked.request, running.ruling, outcome, running.position)
  }

  /** Records the outcome of a call by its request id. See `SudoEngine.recordOutcome`. */
  async recordOutcome(requestId: string, outcome: CallOutcome): Promise<AppendedEntry> {
    return await this.#recorder.outcomeOf(requestId, outcome)
  }

  /** Records the refusals of questions for which no process waits. Failures are reported, not thrown. */
  async recordRefused(): Promise<void> {
    await recordRefusedQuestions(this.#parts, this.#recorder)
  }

  /** Runs steps two to five. @throws the error for the caller, after the refusal was recorded */
  async #rule(asked: PendingCall): Promise<Ruled> {
    const { request, terms } = asked
    const { approver, approvalStore: store, clock, timeoutMs } = this.#parts
    let budget: BudgetBlock | null = null
    let reserved = false
    let approval: Decision['approval'] = null
    let letThrough: CheckedPolicyResult | null = null
    let question: RecordedQuestion | null = null
    try {
      const result = await evaluatePolicy(this.#parts, request, terms.policy)
      const { decision, reason, reasonCode, ruleId: rule } = result
      if (decision === 'deny') throw new Refusal({ code: reasonCode, reason })
      letThrough = result
      const { signal, budgetCost, once } = terms
      const ttlMs = result.withinMs ?? terms.approvalTtlMs
      const notice = noticeOf(request.context)
      const handling = handleConcealed(decision, notice, this.#parts.onConcealed)
      if (handling === 'deny') throw concealedRefusal(notice)
      const asks = handling === 'ask'
      if (asks) await requireClock(this.#parts)
      const desk = this.#budgetDesk()
      reserved = desk !== null
      // The budget is checked before the approval, so that people are not asked about a call that exceeds a budget.
      budget = desk === null ? null : await reserveBudget(desk, request, budgetCost, asks ? ttlMs + timeoutMs : 0)
      if (asks) {
        approval = await this.#open.while(request, async () => {
          question = await recordQuestion(this.#parts, this.#recorder, request, { rule, ttlMs, once })
          return await seekApproval({ approver, store, clock, timeoutMs }, request, {
            reason: questionOf(reason, notice, terms.remark),
            ttlMs,
            signal,
            question,
          })
        })
        // The reservation may have expired while the approval was open, so the same charge is reserved again.
        if (desk !== null) await reserveBudget(desk, request, budgetCost)
      }
      requireUnchanged(asked, this.#parts.unicode)
      if (desk !== null && budget !== null) await commitBudget(desk, request, budget)
      const ruling = {
        effect: 'allow',
        reason,
        reasonCode,
        approval: this.#denials.withoutSecret(approval),
        budget,
      } as const
      return { ruling, letThrough: result, question }
    } catch (error) {
      if (error instanceof AuditLogError) throw error
      this.#denials.reportDamage(request, error)
      const found = { approval: approval ?? unansweredBlock(request, question), budget, letThrough }
      const { denied, isDenied } =
        error instanceof DraftRefused
          ? await this.#denials.refuseDraft(request, terms, error, found)
          : await this.#denials.refuse(request, terms, asRefusal(error), found)
      // The charge is released only after the denial is durable, because until then the call may still run.
      if (reserved && isDenied) await this.#release(request)
      throw denied
    }
  }

  /**
   * Ends a call whose decision the ledger did not take. A decision whose write failed may still become durable, so a
   * call whose question is recorded keeps its charge.
   */
  async #giveBack({ request, terms }: PendingCall, { ruling, letThrough }: Ruled, error: unknown): Promise<never> {
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

  /** Waits until the approval store has followed every use of an approval. */
  async settled(): Promise<void> {
    await this.#used.settled()
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
