// An engine for the calls of one request: the methods that guard calls, with the authority of the request.
import { ownFields } from '@sudoagent/ledger/store'
import { REQUEST_ID_LENGTH_MAX } from './approval/approval.js'
import { type CallAuthority, mergeAuthority, readAuthority } from './authority/authority.js'
import { currentAuthority } from './authority/run-with.js'
import type { Authorization, Boundary } from './boundary/boundary.js'
import { followPending } from './boundary/pending-result.js'
import type { CallOutcome } from './call/recorder.js'
import { memberOf, requireName } from './check.js'
import type { AuthorizeCall, Engine } from './engine-port.js'
import { CallDenied, type Denial } from './error.js'
import {
  type CallOptions,
  type CheckedCallOptions,
  checkCallOptions,
  type EngineParts,
  requireNoSecret,
} from './options.js'
import {
  type AnyFunction,
  actionOf,
  copyFunctionIdentity,
  type Guarded,
  type MethodDecorator,
  methodDecorator,
} from './wrap.js'

/** Guards calls; `engine.with` returns one. */
export class EngineView implements Engine {
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
   * Decides about a call and records the decision, for frameworks that run the tool themselves. If the call is allowed,
   * run the tool with the authorization's `args` and report the outcome to `record`.
   *
   * @returns the authorization or the denial, distinguished by `status`. Every refusal and every failure is a denial.
   * @throws (as a rejection) TypeError for misuse; the abort reason if the signal was already aborted. The call must
   *   not run then, either.
   */
  async authorize(call: AuthorizeCall): Promise<Authorization | Denial> {
    const { action, args = [], requestId, once = false, ...options } = ownFields(call)
    if (typeof once !== 'boolean') throw new TypeError('`once` must be true or false')
    if (once && requestId === undefined) throw new TypeError('`once` requires a `requestId`')
    const terms = checkCallOptions({ ...options, action }, this.#parts)
    if (terms.action === null) throw new TypeError('`action` is required')
    const generateId = requestId === undefined ? this.#parts.generateId : this.#givenId(requestId)
    try {
      return await this.#boundary.authorize(terms.action, args, { ...this.#withAuthority(terms), generateId, once })
    } catch (error) {
      if (!(error instanceof CallDenied)) throw error
      this.#boundary.reportDenied(error)
      return error.denial
    }
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

  #givenId(requestId: unknown): () => string {
    const id = requireNoSecret(
      'requestId',
      requireName('requestId', requestId, REQUEST_ID_LENGTH_MAX),
      this.#parts.redactor,
    )
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

/** @throws TypeError unless the value has a valid `status` */
export function checkOutcome(outcome: CallOutcome): CallOutcome {
  const status = memberOf(outcome, 'status')
  if (status !== 'success' && status !== 'error')
    throw new TypeError('`status` of an outcome must be `success` or `error`')
  return status === 'success' ? { status } : { status, error: memberOf(outcome, 'error') }
}
