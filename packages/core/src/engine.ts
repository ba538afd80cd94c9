// The public engine: wraps, runs or authorizes functions. The boundary makes the decisions.
import type { LedgerWriter } from '@sudoagent/ledger'
import { ownFields } from '@sudoagent/ledger/store'
import { REQUEST_ID_LENGTH_MAX } from './approval/approval.js'
import { type Authorization, Boundary } from './boundary/boundary.js'
import { followPending } from './boundary/pending-result.js'
import type { CallOutcome } from './boundary/recorder.js'
import { memberOf, requireName } from './check.js'
import type { AuthorizeCall, Engine } from './engine-port.js'
import { CallDenied, type Denial } from './error.js'
import type { FromEnvOptions } from './from-env.js'
import {
  type CallOptions,
  type CheckedCallOptions,
  checkCallOptions,
  checkEngineOptions,
  type EngineOptions,
  type EngineParts,
  type OpenOptions,
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

/** A placeholder for a ledger while the other options are validated. */
const NOWHERE: LedgerWriter = { append: () => Promise.reject(new Error('no ledger')), close: async () => {} }

/**
 * Guards calls: a function runs only after the decision about it was durably recorded.
 *
 * @example
 * const engine = new SudoEngine({ policy, agentId: 'support-bot', ledger: SqliteLedger.open('ledger.sqlite') })
 * const refund = engine.guard(async (order: { id: string; amount: number }) => { … }, { action: 'refund' })
 * await refund({ id: '42', amount: 30 }) // the result, or an exception such as ApprovalDenied
 */
export class SudoEngine implements Engine {
  readonly #parts: EngineParts
  readonly #boundary: Boundary
  #owned: LedgerWriter | null = null
  #closeStores: () => Promise<void> = async () => {}

  /** @throws TypeError naming the option that is missing, unknown (with a suggestion) or invalid */
  constructor(options: EngineOptions) {
    this.#parts = checkEngineOptions(options)
    this.#boundary = new Boundary(this.#parts)
  }

  /**
   * Creates an engine and starts its ledger: an empty ledger gets its genesis entry now, so that it verifies before
   * the first call. A ledger that is given as a path or URL is opened here and closed by `close`; with
   * `privateKey`, its entries are signed.
   *
   * @throws (as a rejection) TypeError as the constructor, and for a key file that cannot be used; LedgerError when
   *   the ledger cannot be written; CryptoError for a key that cannot be used
   * @example
   * const sudo = await SudoEngine.open({
   *   agentId: 'support-bot',
   *   policy,
   *   ledger: 'ledger.sqlite',
   *   privateKey: 'ledger.key.pem',
   * })
   */
  static async open(options: OpenOptions): Promise<SudoEngine> {
    const { ledger, privateKey, passphrase, ...rest } = ownFields(options)
    if (typeof ledger !== 'string') {
      if (privateKey !== undefined)
        throw new TypeError('`privateKey` needs `ledger` as a path or URL: an open ledger already has its signer')
      return SudoEngine.#begun(new SudoEngine({ ...rest, ledger }))
    }
    // Invalid options are reported before the ledger is created.
    new SudoEngine({ ...rest, ledger: NOWHERE })
    const { openLedgerAt } = await import('./open-ledger.js')
    const opened = await openLedgerAt({ place: ledger, privateKey, passphrase })
    const engine = new SudoEngine({ ...rest, ledger: opened })
    engine.#owned = opened
    return engine
  }

  static async #begun(engine: SudoEngine): Promise<SudoEngine> {
    const { ledger } = engine.#parts
    if (typeof memberOf(ledger, 'begin') === 'function') await ledger.begin?.()
    return engine
  }

  /**
   * Creates an engine from environment variables: ledger, private key, approvals and budget
   * (`docs/configuration.md`).
   *
   * @throws TypeError for a variable with an unknown value; errors of `open` and of opening a store
   */
  static async fromEnv(options: FromEnvOptions): Promise<SudoEngine> {
    const { partsFromEnv } = await import('./from-env.js')
    const { parts, close } = await partsFromEnv(ownFields(options))
    try {
      const engine = await SudoEngine.open(parts)
      engine.#closeStores = close
      return engine
    } catch (error) {
      await close()
      throw error
    }
  }

  /**
   * Closes the ledger and the stores that `open` and `fromEnv` opened, after pending writes. A ledger or store that
   * the caller passed in stays open.
   */
  async close(): Promise<void> {
    await this.#owned?.close()
    await this.#closeStores()
  }

  /** The number of outcomes that could not be recorded; each was reported to `onError`. */
  get outcomeFailures(): number {
    return this.#boundary.outcomeFailures
  }

  /**
   * Wraps a function. If it is a generator, or returns one, a stream or a function, the call ends when that does
   * (see `recordResult`). Arguments that are plain data reach the function as a copy, so that later changes to the
   * caller's objects have no effect.
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
   * Guards a method, as a decorator: `@engine.guarded({ action: 'refund' })`. Default action: the method's name,
   * which some minifiers change.
   */
  guarded(options: CallOptions = {}): MethodDecorator {
    return methodDecorator((method, name) => this.guard(method, { action: name, ...options }))
  }

  /**
   * Runs a function once, guarded.
   *
   * @throws (as a rejection) CallDenied when it did not run; its own error when it did
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
   * For frameworks that run the tool themselves: decides about a call and records the decision. If it is allowed,
   * run the tool with the authorization's `args` and report the outcome to `record`.
   *
   * @returns the authorization or the denial, distinguished by `status`. Every refusal and every failure is a denial.
   * @throws (as a rejection) TypeError for misuse; the reason of a signal that was already aborted. The call must not
   *   run then, either.
   */
  async authorize(call: AuthorizeCall): Promise<Authorization | Denial> {
    const { action, args = [], requestId, ...options } = ownFields(call)
    const terms = checkCallOptions({ ...options, action }, this.#parts)
    if (terms.action === null) throw new TypeError('`action` is needed')
    const generateId = requestId === undefined ? this.#parts.generateId : this.#givenId(requestId)
    try {
      return await this.#boundary.authorize(terms.action, args, { ...terms, generateId })
    } catch (error) {
      if (!(error instanceof CallDenied)) throw error
      this.#boundary.reportDenied(error)
      return error.denial
    }
  }

  /**
   * Records the outcome of an authorized call, once, best effort.
   *
   * @returns whether it was recorded
   * @throws TypeError when this engine did not make the authorization, or its outcome was already recorded
   */
  async record(authorization: Authorization, outcome: CallOutcome): Promise<boolean> {
    const status = memberOf(outcome, 'status')
    if (status !== 'success' && status !== 'error') {
      throw new TypeError('`status` of an outcome must be `success` or `error`')
    }
    const checked: CallOutcome = status === 'success' ? { status } : { status, error: memberOf(outcome, 'error') }
    return await this.#boundary.finish(authorization, checked)
  }

  /**
   * Records that an authorized call returned `result`. A pending result (a generator, an iterator, a stream, a
   * response with a body, a function) is recorded when it has ended: as a success at its end, or as an error if it
   * throws, is not read to its end, or is garbage-collected before. Pass on the returned value: it is read or
   * called like the original.
   *
   * @throws TypeError when this engine did not make the authorization, or its outcome was already recorded
   */
  async recordResult<T>(authorization: Authorization, result: T): Promise<T> {
    // `finish` below refuses an authorization that is not open.
    const open = this.#boundary.isOpen(authorization)
    const pending = !open ? null : followPending(result, (outcome) => this.#boundary.finish(authorization, outcome))
    if (pending !== null) return pending.value as T
    await this.#boundary.finish(authorization, { status: 'success' })
    return result
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
    const authorization = await this.#boundary.authorize(terms.action, args, terms, self)
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
