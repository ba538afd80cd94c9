// Takes a call through eight steps. If one of the first six fails, the function does not run:
//
// 1. context: copies and redacts the arguments, and computes the decision hash (LEDGER-FORMAT §3)
// 2. policy: evaluates the context (`policy-step.ts`)
// 3. budget: reserves the cost before an approver is asked (`budget-step.ts`)
// 4. approval: if the policy requires an approval, asks an approver and uses the approval once (`approval-step.ts`)
// 5. unchanged arguments: compares the caller's arguments with the snapshot again, then commits the charge
// 6. decision: records an allowed or denied call durably (`recorder.ts`, entries as in LEDGER-FORMAT §2)
// 7. function: the holder of the authorization runs the function (`engine.ts`, or a framework)
// 8. outcome: records the outcome in a second entry; the first entry is the decision, with its approval block
import { type BudgetBlock, REASON_LENGTH_MAX } from '@sudoagent/ledger/entry'
import { takeSnapshot } from '../arguments/snapshot.js'
import { AuthorityError, checkAuthority } from '../authority/authority.js'
import { ApprovalDenied, BoundaryError, CallDenied, makeDenial } from '../error.js'
import { type CheckedCallOptions, type EngineParts, requireNoSecret } from '../options.js'
import { buildContext, noticeOf, UNRECORDABLE } from '../policy/context.js'
import type { PolicyResult } from '../policy/policy.js'
import { seekApproval } from './approval-step.js'
import { commitBudget, releaseBudget, reserveBudget } from './budget-step.js'
import { requireClock } from './clock-check.js'
import { concealedRefusal, handleConcealed, questionOf } from './concealed.js'
import { type Decision, type DecisionRequest, requestDecision } from './decision.js'
import { OpenQuestions } from './open-questions.js'
import { evaluatePolicy } from './policy-step.js'
import { type CallOutcome, CallStopped, Recorder } from './recorder.js'
import { boundaryRefusal, Refusal } from './refusal.js'
import { isSameReceiver, type PendingCall, requireUnchanged } from './unchanged.js'

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

/** For a call that was refused in the first step. */
const NOTHING_FOUND = { approval: null, budget: null, letThrough: null }

/** Decides about calls and records the decisions. */
export class Boundary {
  readonly #parts: EngineParts
  readonly #recorder: Recorder
  readonly #open = new OpenQuestions()
  readonly #running = new WeakMap<object, { readonly asked: PendingCall; readonly ruling: Decision }>()

  constructor(parts: EngineParts) {
    this.#parts = parts
    this.#recorder = new Recorder(parts)
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
    const asked = await this.#ask(requestId, action, args, terms, receiver)
    const [ruling, letThrough] = await this.#rule(asked)
    const { request, snapshot } = asked
    const { position } = await this.#recorder
      .decision(request, ruling)
      .catch((error: unknown) => this.#giveBack(asked, ruling, letThrough, error))
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
    this.#running.set(authorization, { asked, ruling })
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
    return await this.#recorder.outcome(running.asked.request, running.ruling, outcome)
  }

  /** Step one: reads the arguments once, redacts them, and computes the decision hash. */
  async #ask(
    requestId: string,
    action: string,
    args: readonly unknown[],
    terms: CheckedCallOptions,
    self: unknown,
  ): Promise<PendingCall> {
    const { agentId, redactor, unicode, clock } = this.#parts
    const { metadata, policy } = terms
    const facts = { requestId, action, agentId, redactor }
    const receiver = terms.receiver ? { value: self } : undefined
    try {
      const snapshot = takeSnapshot(args, unicode, receiver)
      const values = args === UNRECORDABLE ? UNRECORDABLE : snapshot.values
      const context = buildContext({ ...facts, values, receiver: snapshot.receiver, metadata })
      const checked = checkAuthority(terms.authority, context.metadata, redactor)
      const request = requestDecision(context, policy.identity, clock(), checked)
      return { request, terms, original: args, receiver, snapshot }
    } catch (cause) {
      // The arguments or the authority cannot be recorded, but the refusal can.
      const request = requestDecision(buildContext({ ...facts, values: UNRECORDABLE }), policy.identity, clock())
      const code = cause instanceof AuthorityError ? 'AUTHORITY_INVALID' : 'PARAMETERS_INVALID'
      const reason = cause instanceof Error ? cause.message : 'the arguments cannot be recorded'
      throw await this.#refuse(request, new Refusal({ kind: 'parameters', code, reason, cause }))
    }
  }

  /** Runs steps two to five. @throws the error for the caller, after the refusal was recorded */
  async #rule(asked: PendingCall): Promise<readonly [Decision, letThrough: Required<PolicyResult>]> {
    const { request, terms } = asked
    const { approver, approvalStore: store, clock, timeoutMs } = this.#parts
    let budget: BudgetBlock | null = null
    let reserved = false
    let approval: Decision['approval'] = null
    let letThrough: Required<PolicyResult> | null = null
    try {
      const result = await evaluatePolicy(this.#parts, request, terms.policy)
      const { decision, reason, reasonCode } = result
      if (decision === 'deny') throw new Refusal({ code: reasonCode, reason })
      letThrough = result
      const { approvalTtlMs: ttlMs, signal, budgetCost } = terms
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
        approval = await this.#open.while(request, () =>
          seekApproval({ approver, store, clock, timeoutMs }, request, {
            reason: questionOf(reason, notice, terms.remark),
            ttlMs,
            signal,
          }),
        )
        // The reservation may have expired while the approval was open, so the same charge is reserved again.
        if (desk !== null) await reserveBudget(desk, request, budgetCost)
      }
      requireUnchanged(asked, this.#parts.unicode)
      if (desk !== null && budget !== null) await commitBudget(desk, request, budget)
      return [{ effect: 'allow', reason, reasonCode, approval: this.#withoutSecret(approval), budget }, result]
    } catch (error) {
      const refusal = error instanceof Refusal ? error : boundaryRefusal(error)
      const refused = await this.#refuse(request, refusal, { approval, budget, letThrough })
      // The charge is released only after the denial is durable, because until then the call may still run.
      if (reserved) await this.#release(request)
      throw refused
    }
  }

  /** Records a refusal. @returns the error for the caller. @throws AuditLogError if the refusal cannot be recorded */
  async #refuse(
    request: DecisionRequest,
    refusal: Refusal,
    found: Pick<Decision, 'approval' | 'budget'> & {
      readonly letThrough: Required<PolicyResult> | null
    } = NOTHING_FOUND,
  ): Promise<CallDenied> {
    const { code: reasonCode, cause } = refusal
    const reason = this.#parts.redactor.text(refusal.reason).slice(0, REASON_LENGTH_MAX).toWellFormed()
    const approval = this.#withoutSecret(refusal.approval ?? found.approval)
    const budget = refusal.budget ?? found.budget
    const ruling = { effect: 'deny', reason, reasonCode, approval, budget } as const
    await this.#recorder.decision(request, ruling, cause, found.letThrough ?? undefined)
    const { requestId, action } = request.context
    return refusal.toError(makeDenial(reasonCode, reason, requestId, request.decisionHash), action)
  }

  /**
   * Ends a call whose decision the ledger did not take. The denial of a stopped call is recorded. A decision whose
   * write failed may still become durable, so an approved call keeps its charge.
   */
  async #giveBack(
    { request }: PendingCall,
    { budget, approval }: Decision,
    letThrough: Required<PolicyResult>,
    error: unknown,
  ): Promise<never> {
    if (error instanceof CallStopped) {
      const refusal = new Refusal({ code: 'STOPPED', reason: error.message })
      const refused = await this.#refuse(request, refusal, { approval, budget, letThrough })
      if (budget !== null) await this.#release(request)
      throw refused
    }
    if (budget !== null && approval === null) await this.#release(request)
    throw error
  }

  async #release(request: DecisionRequest): Promise<void> {
    const desk = this.#budgetDesk()
    try {
      if (desk !== null) await releaseBudget(desk, request)
    } catch (error) {
      this.#recorder.fault({ stage: 'budget', requestId: request.context.requestId, error })
    }
  }

  /** Redacts the approver's name. The name is untrusted text: over MCP, the client chooses it. */
  #withoutSecret(approval: Decision['approval']): Decision['approval'] {
    if (approval === null || approval.approver_id === null) return approval
    return { ...approval, approver_id: this.#parts.redactor.text(approval.approver_id) }
  }

  #budgetDesk() {
    const { budget: store, clock, timeoutMs } = this.#parts
    return store === null ? null : { store, clock, timeoutMs }
  }
}
