// Runs one tool call through the engine, for all adapters. The tool runs after the decision is recorded, with exactly
// the arguments that the decision covers. The outcome is recorded too. Every refusal returns the engine's denial; only
// misuse and aborts throw.
import type { CallAuthority, CallOptions, CallOutcome, Denial, Engine, PendingApproval } from '@sudoagent/core'
import { AUTHORITY_OPTIONS } from '@sudoagent/core/boundary'
import { Hold } from './hold.js'

/** The options of every adapter. If the framework passes a signal for the call, both that signal and `signal` apply. */
export interface GuardOptions extends CallOptions {
  /**
   * How long a call waits for an approval, in milliseconds. Then the model reads that the call is pending, and the
   * question stays open: if the model repeats the call with the same arguments, the repeated call gets the answer.
   * Default: the call waits until the approval expires.
   */
  readonly holdMs?: number
}

/** The options for tools that have no name in their framework: `action` is the name in the policy and the ledger. */
export type NamedGuardOptions = GuardOptions & { readonly action: string }

/** Returns the option `action`. @throws TypeError if `action` is missing */
export function requireAction(options: NamedGuardOptions | undefined): string {
  const { action } = { __proto__: null, ...options } as Partial<NamedGuardOptions>
  if (typeof action !== 'string' || action === '')
    throw new TypeError('the option `action` is required: the name of the tool')
  return action
}

export interface ToolCall<I> {
  /** The tool's name. The option `action` overrides this name. */
  readonly tool: string
  /**
   * A plain object becomes the call's named arguments: `kwargs` in the policy and in the ledger. Any other value
   * becomes the only element of `args`.
   */
  readonly input: I
  /** The call ID that the framework assigned, recorded as `tool_call_id` in the metadata. */
  readonly callId?: string | undefined
  readonly signal?: AbortSignal | undefined
  /** The authority in the framework's own context; it takes precedence over the options, member by member. */
  readonly authority?: CallAuthority | undefined
}

/**
 * Reads the authority of a call from the context that the program gave to the framework: the member `sudoagent`. The
 * context may be an object, or a map with a method `get`.
 *
 * @returns undefined if the context has no such member
 * @throws TypeError if the member is not an object with members of `CallAuthority`
 * @example authorityIn({ sudoagent: { onBehalfOf: { id: user.id }, tenant: user.org } })
 */
export function authorityIn(context: unknown): CallAuthority | undefined {
  const given = memberIn(context)
  if (given === undefined || given === null) return undefined
  if (!isPlainObject(given)) throw new TypeError('`sudoagent` in the context must be a plain object')
  const unknown = Object.keys(given).find((name) => !AUTHORITY_OPTIONS.includes(name as keyof CallAuthority))
  if (unknown !== undefined)
    throw new TypeError(`\`sudoagent.${unknown}\` in the context is not one of ${AUTHORITY_OPTIONS.join(', ')}`)
  return given
}

function memberIn(context: unknown): unknown {
  if (typeof context !== 'object' || context === null) return undefined
  if (Object.hasOwn(context, 'sudoagent')) return Reflect.get(context, 'sudoagent')
  if (isPlainObject(context)) return undefined
  const { get } = context as { readonly get?: unknown }
  return typeof get === 'function' ? get.call(context, 'sudoagent') : undefined
}

/** A call that may run, with exactly `input`. The caller must report the end of the call exactly once. */
export interface AllowedCall<I> {
  readonly status: 'allowed'
  readonly input: I
  /** Aborts when the caller's signal or the framework's signal aborts. */
  readonly signal: AbortSignal | undefined
  end(outcome: CallOutcome): Promise<void>
  /**
   * Reports that the tool returned `output`.
   *
   * @returns the output to pass on. If the output is a stream or a function, the outcome is recorded when the stream
   * ends or the function returns (`Engine.recordResult`)
   */
  returned<O>(output: O): Promise<O>
}

/** The type of the input that a framework passes to a tool's function, derived from the tool's schema. */
export type InputOf<P> = P extends { readonly '~standard': { readonly types?: infer T } }
  ? NonNullable<T> extends { readonly output: infer O }
    ? O
    : unknown
  : P extends { readonly _output: infer O }
    ? O
    : P extends undefined
      ? string
      : unknown

/**
 * Whether a value is a plain object, such as a tool definition. A tool that the framework created is a class instance.
 */
export function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** Tool functions that a framework calls with the model's input before `execute`, and therefore before the decision. */
const BEFORE_EXECUTE = ['onInputStart', 'onInputDelta', 'onInputAvailable']

/**
 * Copies a tool or tool definition, replaces `execute`, and removes the functions that receive the input earlier.
 */
export function withExecute<T>(tool: T, execute: unknown): T {
  const copy = { ...tool, execute }
  for (const name of BEFORE_EXECUTE) Reflect.deleteProperty(copy, name)
  return copy
}

export type EndedCall<O> = { readonly status: 'ran'; readonly output: O } | Denial

/**
 * Decides about a call.
 *
 * @throws (as a rejection) the abort reason if a signal aborted before the decision; TypeError for misuse. In both
 * cases, the tool must not run
 */
export async function authorizeCall<I>(
  engine: Engine,
  { tool, input, callId, signal, authority }: ToolCall<I>,
  given: GuardOptions = {},
): Promise<AllowedCall<I> | Denial> {
  // Copies own fields only and reads each field once, so that members of `Object.prototype` are not read as options.
  const { holdMs, ...options }: GuardOptions = { __proto__: null, ...given } as GuardOptions
  const hold = new Hold(holdMs)
  const signals = [options.signal, signal].filter((one) => one !== undefined)
  const either = signals.length > 1 ? AbortSignal.any(signals) : signals[0]
  const asked = {
    action: tool,
    ...options,
    ...authority,
    args: [input],
    metadata: { ...options.metadata, ...(callId === undefined ? {} : { tool_call_id: callId }) },
  }
  const authorization = await hold.during(either, (until) =>
    engine.authorize({ ...asked, ...(until === undefined ? {} : { signal: until }) }, {}),
  )
  if (authorization.status === 'denied') return authorization
  if (authorization.status === 'pending') return pendingDenial(authorization)
  // An engine in a different process may return any value. Callers treat every value other than a denial as an
  // authorization, so any other status must throw.
  if (authorization.status !== 'allowed')
    throw new TypeError('the engine returned neither an authorization nor a denial')
  return {
    status: 'allowed',
    input: authorization.args[0] as I,
    signal: either,
    end: async (outcome) => {
      await engine.record(authorization, outcome)
    },
    returned: (output) => engine.recordResult(authorization, output),
  }
}

/** The answer for a call that waits for an approval, in the form of a denial: the call did not run. */
const pendingDenial = ({ requestId, reason }: PendingApproval): Denial => ({
  status: 'denied',
  code: 'APPROVAL_PENDING',
  reason,
  retryable: true,
  requestId,
  decisionHash: null,
})

/**
 * Reads a tool's generator to the end, because these frameworks do not. The result is the return value, or the last
 * step if the generator returns nothing. The tool has finished only when its generator ends, and may fail midway.
 */
export async function settled(output: unknown, signal?: AbortSignal): Promise<unknown> {
  if (!isIterator(output)) return output
  let last: unknown
  for (;;) {
    const step = await output.next()
    if (step.done === true) return step.value === undefined ? last : step.value
    last = step.value
    if (signal?.aborted === true) {
      await output.return?.(undefined)
      signal.throwIfAborted()
    }
  }
}

function isIterator(output: unknown): output is AsyncGenerator | Generator {
  if (typeof output !== 'object' || output === null) return false
  const { next, [Symbol.asyncIterator]: async, [Symbol.iterator]: sync } = output as Partial<AsyncGenerator & Generator>
  return typeof next === 'function' && (typeof async === 'function' || typeof sync === 'function')
}

/**
 * Decides about a call and runs its tool.
 *
 * @param run - called at most once, with the arguments that the decision covers. If it throws, the error is recorded
 * and rethrown unchanged
 * @param failed - whether an output means that the tool failed, for frameworks that report failures as outputs
 * @throws the error that the tool threw; for other errors, see `authorizeCall`
 */
export async function guardedCall<I, O>(
  engine: Engine,
  call: ToolCall<I>,
  options: GuardOptions | undefined,
  run: (input: I) => O | PromiseLike<O>,
  failed: (output: Awaited<O>) => boolean = () => false,
): Promise<EndedCall<Awaited<O>>> {
  const allowed = await authorizeCall(engine, call, options)
  if (allowed.status === 'denied') return allowed
  let output: Awaited<O>
  try {
    // The signal may have aborted during the decision.
    allowed.signal?.throwIfAborted()
    output = (await settled(await run(allowed.input), allowed.signal)) as Awaited<O>
  } catch (error) {
    await allowed.end({ status: 'error', error })
    throw error
  }
  if (!failed(output)) return { status: 'ran', output: await allowed.returned(output) }
  await allowed.end({ status: 'error', error: new Error('the tool reported an error') })
  return { status: 'ran', output }
}
