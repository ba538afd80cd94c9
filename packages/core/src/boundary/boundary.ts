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
import type { ApprovalRecord } from '../approval/approval.js'
import { readCall, takeCall } from '../call/call-step.js'
import type { Decision } from '../call/decision.js'
import { Denials } from '../call/denials.js'
import { type CallOutcome, Recorder } from '../call/recorder.js'
import { isSameReceiver, type PendingCall } from '../call/unchanged.js'
import { ApprovalDenied, BoundaryError, CallDenied, makeDenial } from '../error.js'
import { type CheckedCallOptions, type EngineParts, requireNoSecret } from '../options.js'
import type { Attached } from '../question/attach.js'
import { StillPending } from '../question/pending.js'
import { QuestionDesk } from '../question/question-desk.js'
import { recordRefusedQuestions } from '../question/refused-questions.js'
import { UsedApprovals } from '../question/used-approvals.js'
import { type Ruled, Rulings } from './ruling.js'

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

/** Decides about calls and records the decisions. */
export class Boundary {
  readonly #parts: EngineParts
  readonly #recorder: Recorder
  readonly #denials: Denials
  readonly #desk: QuestionDesk
  readonly #rulings: Rulings
  readonly #used: UsedApprovals
  readonly #running = new WeakMap<object, RunningCall>()

  constructor(parts: EngineParts) {
    this.#parts = parts
    this.#recorder = new Recorder(parts)
    this.#denials = new Denials(parts, this.#recorder)
    this.#used = new UsedApprovals(parts, this.#recorder)
    this.#desk = new QuestionDesk(parts)
    this.#rulings = new Rulings(parts, this.#recorder, this.#denials, this.#desk)
  }

  /** The number of outcomes that could not be recorded. */
  get outcomeFailures(): number {
    return this.#recorder.outcomeFailures
  }

  /**
   * Runs steps one to six. If possible, a refusal is recorded before the error is thrown.
   *
   * @throws (as a rejection) CallDenied; StillPending for a call that does not wait; the reason of a signal that was
   * already aborted
   */
  async authorize(
    action: string,
    args: readonly unknown[],
    terms: CheckedCallOptions,
    receiver?: unknown,
  ): Promise<Authorization> {
    return await this.#guarded(action, terms, async (requestId) => {
      const asked = await takeCall({ requestId, action, args, terms, receiver }, this.#parts, this.#denials)
      return await this.#decide(asked, null)
    })
  }

  /**
   * Runs steps two to six for a call whose question is recorded. `terms.generateId` returns the id of the question.
   *
   * @throws (as a rejection) as `authorize`
   */
  async resume(
    action: string,
    args: readonly unknown[],
    terms: CheckedCallOptions,
    receiver?: unknown,
  ): Promise<Authorization> {
    return await this.#guarded(action, terms, async (requestId) => {
      const asked = readCallOrNull({ requestId, action, args, terms, receiver }, this.#parts)
      const found = asked === null ? ({ kind: 'unknown' } as const) : await this.#desk.resume(asked)
      if (found.kind === 'attached') return await this.#decide(found.attached.asked, found.attached)
      if (!('attached' in found)) throw notResumed(found.kind, requestId, action)
      try {
        throw await this.#rulings.refuse(found.kind, found.attached)
      } finally {
        this.#desk.waiters.release(requestId)
      }
    })
  }

  async #guarded(
    action: string,
    terms: CheckedCallOptions,
    decide: (requestId: string) => Promise<Authorization>,
  ): Promise<Authorization> {
    terms.signal?.throwIfAborted()
    requireNoSecret('action', action, this.#parts.redactor)
    let requestId = ''
    try {
      requestId = terms.generateId()
      return await decide(requestId)
    } catch (cause) {
      if (cause instanceof CallDenied || cause instanceof StillPending) throw cause
      if (terms.signal?.aborted === true && cause === terms.signal.reason) throw cause
      const denial = makeDenial('BOUNDARY_FAILED', 'an internal error occurred', requestId, null)
      throw new BoundaryError(denial, { action, cause })
    }
  }

  async #decide(given: PendingCall, attached: Attached | null): Promise<Authorization> {
    const call = { asked: given, attached }
    try {
      const authorization = await this.#allow(await this.#rulings.rule(call))
      this.#desk.waiters.release(authorization.requestId)
      return authorization
    } catch (error) {
      // A denied question may look open in the store, so that a call that resumes it would wait for the lease.
      const ended = this.#desk.waiters.giveUp(call.asked.request.context.requestId)
      if (error instanceof StillPending) {
        this.#desk.calls.keep(call.asked)
        await ended
      }
      throw error
    }
  }

  /** Records the decision of an allowed call. */
  async #allow(ruled: Ruled): Promise<Authorization> {
    const { asked, ruling, question } = ruled
    const { request, snapshot, terms } = asked
    const { requestId } = request.context
    const { position } = await this.#recorder
      .decision(request, ruling, undefined, undefined, terms.once)
      .catch((error: unknown) => this.#rulings.giveBack(ruled, error))
    if (question !== null) this.#used.follow(request)
    this.#desk.calls.forget(requestId)
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

  /** The open questions of the agent. See `SudoEngine.questions`. */
  async questions(): Promise<readonly ApprovalRecord[]> {
    return await this.#desk.list()
  }

  /** Waits until the approval store has followed every use of an approval. */
  async settled(): Promise<void> {
    await this.#used.settled()
  }
}

/** Null for a call that cannot be read: it is not the one that the question is about. */
function readCallOrNull(...given: Parameters<typeof readCall>): PendingCall | null {
  try {
    return readCall(...given)
  } catch {
    return null
  }
}

/** The error for a `resume` that finds no question that it could use; nothing is recorded. */
function notResumed(kind: 'unknown' | 'decided', requestId: string, action: string): CallDenied {
  const denial =
    kind === 'unknown'
      ? makeDenial('APPROVAL_NOT_FOUND', 'there is no approval of this call with this id', requestId, null)
      : makeDenial('APPROVAL_ALREADY_USED', 'the approval was already used, or the call was decided', requestId, null)
  return new ApprovalDenied(denial, { action })
}
