// An engine for the calls of one request: the methods that guard calls, with the authority of the request.
import { ownFields } from '@sudoagent/ledger/store'
import { type ApprovalRecord, REQUEST_ID_LENGTH_MAX } from './approval/approval.js'
import { type CallAuthority, mergeAuthority, readAuthority } from './authority/authority.js'
import { currentAuthority } from './authority/run-with.js'
import type { Authorization, Boundary } from './boundary/boundary.js'
import { followPending } from './boundary/pending-result.js'
import type { CallOutcome } from './call/recorder.js'
import { memberOf, readOptions, requireMethods, requireName } from './check.js'
import type { AuthorizeCall, ResumeCall, WaitingEngine, WaitOptions } from './engine-port.js'
import { CallDenied, type Denial } from './error.js'
import {
  type CallOptions,
  type CheckedCallOptions,
  checkCallOptions,
  type EngineParts,
  requireNoSecret,
} from './options.js'
import { type PendingApproval, StillPending } from './question/pending.js'
import { recordsQuestions } from './question/question-step.js'
import {
  type AnyFunction,
  actionOf,
  copyFunctionIdentity,
  type Guarded,
  type MethodDecorator,
  methodDecorator,
} from './wrap.js'

/** Guards calls; `engine.with` returns one. */
export class EngineView implements WaitingEngine {
  readonly #parts: EngineParts
  readonly #boundary: Boundary
  readonly #authority: CallAuthority

  constructor(parts: EngineParts, boundary: Boundary, authority: CallAuthority) {
    this.#parts = parts
    this.#boundary = boundary
    this.#authority = authority
  }

  /**
   * Returns a view of this engine whose calls have this authority: for the handling of one request. It shares
   * everything else with the engine. Values of the view are added to those of this one, member by member.
   *
   * Invalid values are refused when a call is made, so that the refusal is recorded (`AUTHORITY_INVALID`).
   *
   * @throws TypeError for an unknown member
   * @example const sudo = engine.with({ onBehalfOf: { id: user.id }, tenant: user.org, session: chat.id })
   */
  with(authority: CallAuthority): EngineView {
    return new EngineView(this.#parts, this.#boundary, mergeAuthority(this.#authority, readAuthority(authority)))
  }

  /** The number of outcomes that could not be recorded; each was reported to `onError`. */
  get outcomeFailures(): number {
    return this.#boundary.outcomeFailures
  }

  /**
   * Wraps a function. If the function returns a generator, a stream or a function, the call ends when that result ends
   * (see `recordResult`). The function receives a copy of all arguments that are plain data, so that later changes to
   * the caller's objects have no effect.
   *
   * @param action - a stable name for the action; default: the function's name
   * @throws TypeError for an unknown option, or an anonymous function without an `action`
   * @example const refund = engine.guard('refund', async (order: { amount: number }) => pay(order))
   */
  guard<F extends AnyFunction>(action: string, fn: F, options?: CallOptions): Guarded<F>
  guard<F extends AnyFunction>(fn: F, options?: CallOptions): Guarded<F>
  guard<F extends AnyFunction>(first: string | F, second?: F | CallOptions, third?: CallOptions): Guarded<F> {
    const [fn, options] =
      typeof first === 'string'
        ? [second as F, { ...ownFields(third ?? {}), action: first }]
        : [first, (second ?? {}) as CallOptions]
    const terms = this.#termsFor(fn, options)
    const run = (self: unknown, args: readonly unknown[]): Promise<unknown> => this.#run(fn, self, args, terms)
    return copyFunctionIdentity(function guarded(this: unknown, ...args: unknown[]) {
      return run(this, args)
    }, fn)
  }

  /**
   * Guards a method, as a decorator: `@engine.guarded({ action: 'refund' })`. The default action is the method's name,
   * which some minifiers change.
   */
  guarded(options: CallOptions = {}): MethodDecorator {
    return methodDecorator((method, name) => this.guard(method, { action: name, ...options }))
  }

  /**
   * Runs a function once, guarded.
   *
   * @throws (as a rejection) CallDenied if the function did not run; otherwise the error that the function threw
   */
  async execute<F extends AnyFunction>(
    fn: F,
    args: Parameters<F>,
    options: CallOptions = {},
  ): Promise<Awaited<ReturnType<F>>> {
    const result = await this.#run(fn, undefined, args, this.#termsFor(fn, options))
    return result as Awaited<ReturnType<F>>
  }

  /**
   * Decides about a call and records the decision, for frameworks that run the tool themselves. If the call is
   * allowed, run the tool with the authorization's `args` and report the outcome to `record`.
   *
   * A call that requires an approval, and has no `requestId`, attaches to an open question of an equal call for which
   * no process waits: for example after the process that asked was killed (`docs/approvals.md`). `attach` decides for
   * a call with a `requestId`.
   *
   * @returns the authorization or the denial, distinguished by `status`. Every refusal and every failure is a denial.
   *   With `wait: false`, also the pending approval, of a call whose question is recorded and has no answer yet
   * @throws (as a rejection) TypeError for misuse, and for `wait: false` with a ledger that does not record questions;
   *   the abort reason if the signal was already aborted. The call must not run then, either.
   * @example
   * const asked = await engine.authorize({ action: 'pay', args: [order] }, { wait: false })
   * if (asked.status === 'pending') await saveForLater(asked.approvalId, order)
   */
  async authorize(call: AuthorizeCall): Promise<Authorization | Denial>
  async authorize(call: AuthorizeCall, options: WaitOptions): Promise<Authorization | Denial | PendingApproval>
  async authorize(call: AuthorizeCall, options?: WaitOptions): Promise<Authorization | Denial | PendingApproval> {
    const { requestId, once = false, ...rest } = ownFields(call)
    if (typeof once !== 'boolean') throw new TypeError('`once` must be true or false')
    if (once && requestId === undefined) throw new TypeError('`once` requires a `requestId`')
    const { action, args, terms } = this.#callTerms(rest, options)
    const attach = requestId === undefined || ownFields(call).attach !== undefined ? terms.attach : null
    const generateId = requestId === undefined ? this.#parts.generateId : this.#givenId('requestId', requestId)
    return await this.#answer(() => this.#boundary.authorize(action, args, { ...terms, generateId, once, attach }))
  }

  /**
   * Decides about a call whose question is recorded: after `authorize` with `wait: false`, after a restart, or in
   * another process. Pass the call again: it must be the one that asked, with the same arguments, agent, authority and
   * policy. If another process waits for the answer, the call waits for that process to end.
   *
   * @param approvalId - the id of the question: the request id of the call that asked
   * @returns as `authorize`. Denials without an entry in the ledger: APPROVAL_NOT_FOUND if there is no such question of
   *   this call, APPROVAL_ALREADY_USED if the call was decided. APPROVAL_EXPIRED, and APPROVAL_STALE if the policy is
   *   another one, are recorded while the question is open
   * @throws (as a rejection) as `authorize`
   * @example
   * const answer = await engine.resume(approvalId, { action: 'pay', args: [order] })
   * if (answer.status === 'allowed') await engine.recordResult(answer, await pay(...answer.args))
   */
  async resume(approvalId: string, call: ResumeCall): Promise<Authorization | Denial>
  async resume(
    approvalId: string,
    call: ResumeCall,
    options: WaitOptions,
  ): Promise<Authorization | Denial | PendingApproval>
  async resume(
    approvalId: string,
    call: ResumeCall,
    options?: WaitOptions,
  ): Promise<Authorization | Denial | PendingApproval> {
    const { action, args, terms } = this.#callTerms(call, options)
    if (!recordsQuestions(this.#parts.ledger) || typeof memberOf(this.#parts.approvalStore, 'get') !== 'function')
      throw new TypeError('`resume` requires a ledger that records questions, and an approval store with `get`')
    const generateId = this.#givenId('approvalId', approvalId)
    return await this.#answer(() => this.#boundary.resume(action, args, { ...terms, generateId }))
  }

  /**
   * Lists the open questions of this engine's agent in its ledger, as the approval store has them: at most 1,000 in a
   * state. A process that has restarted finds the calls here that it can `resume`.
   *
   * @throws (as a rejection) TypeError for a ledger that does not record questions, or a store without `list`; the
   *   error of the ledger or the store
   */
  async questions(): Promise<readonly ApprovalRecord[]> {
    if (!recordsQuestions(this.#parts.ledger) || typeof memberOf(this.#parts.approvalStore, 'list') !== 'function')
      throw new TypeError('`questions` requires a ledger that records questions, and an approval store with `list`')
    return await this.#boundary.questions()
  }

  /**
   * Records the outcome of an authorized call, once, with best effort.
   *
   * @returns whether it was recorded
   * @throws TypeError when this engine did not make the authorization, or its outcome was already recorded
   */
  async record(authorization: Authorization, outcome: CallOutcome): Promise<boolean> {
    return await this.#boundary.finish(authorization, checkOutcome(outcome))
  }

  /**
   * Records that an authorized call returned `result`. For a pending result (a generator, an iterator, a stream, a
   * response with a body, a function), the outcome is recorded when the result ends. The outcome is a success if the
   * result was read to the end, and an error if the result throws, is abandoned, or is garbage-collected before its
   * end. Pass on the returned value, which is read or called like the original.
   *
   * @throws TypeError when this engine did not make the authorization, or its outcome was already recorded
   */
  async recordResult<T>(authorization: Authorization, result: T): Promise<T> {
    // `finish` below rejects an authorization that is not open.
    const open = this.#boundary.isOpen(authorization)
    const pending = !open ? null : followPending(result, (outcome) => this.#boundary.finish(authorization, outcome))
    if (pending !== null) return pending.value as T
    await this.#boundary.finish(authorization, { status: 'success' })
    return result
  }

  /** Adds the authority of the caller's context, this view and the call; later ones take precedence. */
  #withAuthority<T extends CheckedCallOptions>(terms: T): T {
    return { ...terms, authority: mergeAuthority(currentAuthority(), this.#authority, terms.authority) }
  }

  #callTerms(call: ResumeCall, options: WaitOptions | undefined) {
    const { action, args = [], approver, attach, ...rest } = ownFields(call)
    const { wait = true } = readOptions('options', options ?? {}, ['wait'])
    if (typeof wait !== 'boolean') throw new TypeError('`wait` must be true or false')
    if (!wait && !recordsQuestions(this.#parts.ledger))
      throw new TypeError('`wait: false` requires a ledger that records questions')
    const terms = checkCallOptions({ ...rest, action }, this.#parts)
    if (terms.action === null) throw new TypeError('`action` is required')
    if (attach !== undefined && typeof attach !== 'function') throw new TypeError('`attach` must be a function')
    return {
      action: terms.action,
      args,
      terms: {
        ...this.#withAuthority(terms),
        wait,
        mayPend: options !== undefined,
        approver: approver === undefined ? null : requireMethods('approver', approver, ['approve']),
        attach: attach ?? terms.attach,
      },
    }
  }

  /** The authorization, the denial, or the pending approval. */
  async #answer(decide: () => Promise<Authorization>): Promise<Authorization | Denial | PendingApproval> {
    try {
      return await decide()
    } catch (error) {
      if (error instanceof StillPending) return error.pending
      if (!(error instanceof CallDenied)) throw error
      this.#boundary.reportDenied(error)
      return error.denial
    }
  }

  #givenId(option: string, given: unknown): () => string {
    const id = requireNoSecret(option, requireName(option, given, REQUEST_ID_LENGTH_MAX), this.#parts.redactor)
    return () => id
  }

  #termsFor(fn: AnyFunction, options: CallOptions): CheckedCallOptions & { readonly action: string } {
    if (typeof fn !== 'function') throw new TypeError('only a function can be guarded')
    const terms = checkCallOptions(options, this.#parts)
    return { ...terms, action: actionOf(fn, terms.action) }
  }

  async #run(
    fn: AnyFunction,
    self: unknown,
    args: readonly unknown[],
    terms: CheckedCallOptions & { readonly action: string },
  ): Promise<unknown> {
    const authorization = await this.#boundary.authorize(terms.action, args, this.#withAuthority(terms), self)
    let result: unknown
    try {
      this.#boundary.requireReceiver(authorization)
      result = await Reflect.apply(fn, self, authorization.args)
    } catch (error) {
      await this.#boundary.finish(authorization, { status: 'error', error })
      throw error
    }
    return await this.recordResult(authorization, result)
  }
}

/** @throws TypeError unless the value has a valid `status`, and `resultText` is a function or omitted */
export function checkOutcome(outcome: CallOutcome): CallOutcome {
  const status = memberOf(outcome, 'status')
  if (status !== 'success' && status !== 'error')
    throw new TypeError('`status` of an outcome must be `success` or `error`')
  const resultText = memberOf(outcome, 'resultText')
  if (resultText !== undefined && typeof resultText !== 'function')
    throw new TypeError('`resultText` of an outcome must be a function')
  const result = resultText === undefined ? {} : { resultText: (): string => resultText.call(outcome) }
  return status === 'success' ? { status, ...result } : { status, error: memberOf(outcome, 'error'), ...result }
}
