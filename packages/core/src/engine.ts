// What callers hold: functions are wrapped, run, or authorized here; what happens in between is the boundary's.
import type { LedgerWriter } from '@sudoagent/ledger'
import { ownFields } from '@sudoagent/ledger/store'
import { type Authorization, Boundary } from './boundary/boundary.js'
import { followPending } from './boundary/pending-result.js'
import type { CallOutcome } from './boundary/recorder.js'
import { memberOf } from './check.js'
import type { AuthorizeCall, Engine } from './engine-port.js'
import { ApprovalDenied, type Denial } from './error.js'
import type { FromEnvOptions } from './from-env.js'
import {
  type CallOptions,
  type CheckedCallOptions,
  checkCallOptions,
  checkEngineOptions,
  type EngineOptions,
  type EngineParts,
  type OpenOptions,
} from './options.js'
import {
  type AnyFunction,
  actionOf,
  copyFunctionIdentity,
  type Guarded,
  type MethodDecorator,
  methodDecorator,
} from './wrap.js'

/** Stands in for a ledger while options are checked. */
const NOWHERE: LedgerWriter = { append: () => Promise.reject(new Error('no ledger')), close: async () => {} }

/**
 * Guards calls: no function runs before the decision about it is durably on record.
 *
 * @example
 * const engine = new SudoEngine({ policy, agentId: 'support-bot', ledger: SqliteLedger.open('ledger.sqlite') })
 * const refund = engine.guard(async (order: { id: string; amount: number }) => { … }, { action: 'refund' })
 * await refund({ id: '42', amount: 30 }) // the result, or ApprovalDenied and friends
 */
export class SudoEngine implements Engine {
  readonly #parts: EngineParts
  readonly #boundary: Boundary
  #owned: LedgerWriter | null = null
  #closeStores: () => Promise<void> = async () => {}

  /** @throws TypeError naming the option that is missing, unknown (and which one was meant) or wrong */
  constructor(options: EngineOptions) {
    this.#parts = checkEngineOptions(options)
    this.#boundary = new Boundary(this.#parts)
  }

  /**
   * As the constructor, and the ledger is begun: an empty one gets its genesis now, so that it verifies before the first call.
   * A ledger named by its place is opened here, and closed by `close`; with a `privateKey` its entries are signed.
   *
   * @throws (as a rejection) TypeError as the constructor, and for a key file that cannot be used; LedgerError when the ledger
   * cannot be written; CryptoError for a key that cannot be used
   * @example
   * const sudo = await SudoEngine.open({ agentId: 'support-bot', policy, ledger: 'ledger.sqlite', privateKey: 'ledger.key.pem' })
   */
  static async open(options: OpenOptions): Promise<SudoEngine> {
    const { ledger, privateKey, passphrase, ...rest } = ownFields(options)
    if (typeof ledger !== 'string') {
      if (privateKey !== undefined)
        throw new TypeError('`privateKey` needs the `ledger` as a path or URL: one that is open already has its signer')
      return SudoEngine.#begun(new SudoEngine({ ...rest, ledger }))
    }
    // What is wrong with the other options is said before there is a ledger.
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
   * An engine from the environment: ledger, private key, approvals and budget (`docs/configuration.md`).
   *
   * @throws TypeError for a variable with a value that is not known; as `open`; what opening a store throws
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
   * Closes what `open` and `fromEnv` opened, after what is being written. A ledger or store that was given stays open: its
   * owner closes it.
   */
  async close(): Promise<void> {
    await this.#owned?.close()
    await this.#closeStores()
  }

  /** How many outcomes could not be recorded; each was told to `onError`. */
  get outcomeFailures(): number {
    return this.#boundary.outcomeFailures
  }

  /**
   * Wraps a function. If it is a generator, or returns one, a stream or a function, the call ends when that does (see `recordResult`). Arguments that are plain data reach it as a copy: what was decided on, whatever becomes of the caller's objects.
   *
   * @param action - stable name of what is done; default: the function's name
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

  /** Guards a method: `@engine.guarded({ action: 'refund' })` above it. Default action: the method's name, which some minifiers change. */
  guarded(options: CallOptions = {}): MethodDecorator {
    return methodDecorator((method, name) => this.guard(method, { action: name, ...options }))
  }

  /** Runs a function once, guarded. @throws (as a rejection) SudoAgentError when it did not run; its own error when it did */
  async execute<F extends AnyFunction>(
    fn: F,
    args: Parameters<F>,
    options: CallOptions = {},
  ): Promise<Awaited<ReturnType<F>>> {
    const result = await this.#run(fn, undefined, args, this.#termsFor(fn, options))
    return result as Awaited<ReturnType<F>>
  }

  /**
   * For frameworks that run the tool themselves: decides, and puts the decision on record. Then run the tool with `args` of the
   * authorization, and tell `record` how it ended.
   *
   * @returns the authorization, or the denial
   * @throws PolicyError, ApprovalError, ParametersError, AuditLogError: the call must not run either
   */
  async authorize(call: AuthorizeCall): Promise<Authorization | Denial> {
    const { action, args = [], ...options } = ownFields(call)
    const terms = checkCallOptions({ ...options, action }, this.#parts)
    if (terms.action === null) throw new TypeError('`action` is needed')
    try {
      return await this.#boundary.authorize(terms.action, args, terms)
    } catch (error) {
      if (error instanceof ApprovalDenied) return error.denial
      throw error
    }
  }

  /**
   * Records how an authorized call ended, once, best effort.
   *
   * @returns whether it is on record
   * @throws TypeError when the authorization is not one of this engine, or was recorded already
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
   * Records that an authorized call returned `result`. A result whose work is still to be done (a generator, an iterator, a stream, a response
   * with a body, a function) is recorded when it has ended: as a success at its end, as an error if it throws, if it is not read to its end, or
   * if it is collected as garbage before. Hand on what this returns: it is the same to read or to call.
   *
   * @throws TypeError when the authorization is not one of this engine, or was recorded already
   */
  async recordResult<T>(authorization: Authorization, result: T): Promise<T> {
    // One that is not open is refused by `finish` below.
    const open = this.#boundary.isOpen(authorization)
    const pending = !open ? null : followPending(result, (outcome) => this.#boundary.finish(authorization, outcome))
    if (pending !== null) return pending.value as T
    await this.#boundary.finish(authorization, { status: 'success' })
    return result
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
