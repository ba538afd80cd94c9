// Runs one tool call through the engine, for every adapter. The tool runs after the decision is recorded, with the
// arguments that were decided on, and its outcome is recorded too. Every kind of refusal returns the engine's denial;
// only misuse and aborts throw.
import type { CallOptions, CallOutcome, Denial, Engine } from '@sudoagent/core'

/** Options of every adapter. If the framework passes a signal for the call, both that signal and `signal` apply. */
export type GuardOptions = CallOptions

/** Options for a tool without a name in its framework: `action` is its name for the policy and the ledger. */
export type NamedGuardOptions = GuardOptions & { readonly action: string }

/** The action of a tool without a name. @throws TypeError if the options do not contain it */
export function requireAction(options: NamedGuardOptions | undefined): string {
  const { action } = { __proto__: null, ...options } as Partial<NamedGuardOptions>
  if (typeof action !== 'string' || action === '')
    throw new TypeError('the options need `action`, the name of the tool')
  return action
}

export interface ToolCall<I> {
  /** The tool's name, which the option `action` overrides. */
  readonly tool: string
  /**
   * A plain object becomes the call's named arguments: `kwargs` in the policy and in the ledger. Any other value is in
   * `args`.
   */
  readonly input: I
  /** The framework's ID of the call, recorded as `tool_call_id` in the metadata. */
  readonly callId?: string | undefined
  readonly signal?: AbortSignal | undefined
}

/** A call that may run, with exactly `input`. Its end must be reported once. */
export interface AllowedCall<I> {
  readonly status: 'allowed'
  readonly input: I
  /** Aborts if the caller's signal or the framework's does. */
  readonly signal: AbortSignal | undefined
  end(outcome: CallOutcome): Promise<void>
  /**
   * Reports that the tool returned `output`.
   *
   * @returns the output to return: if it is a stream or a function, it is recorded when it has ended
   * (`Engine.recordResult`)
   */
  returned<O>(output: O): Promise<O>
}

/** The input that a framework passes to a tool's function, by the kind of the tool's schema. */
export type InputOf<P> = P extends { readonly '~standard': { readonly types?: infer T } }
  ? NonNullable<T> extends { readonly output: infer O }
    ? O
    : unknown
  : P extends { readonly _output: infer O }
    ? O
    : P extends undefined
      ? string
      : unknown

/** Whether a value is a plain object, such as the definition of a tool. A created tool is an instance of a class. */
export function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** Functions of a tool that a framework calls with the model's input before `execute`, and so before the decision. */
const BEFORE_EXECUTE = ['onInputStart', 'onInputDelta', 'onInputAvailable']

/**
 * Copies a tool or its definition with another `execute`, and without the functions that receive the input before it.
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
 * @throws (as a rejection) the reason of a signal that was aborted before the decision; TypeError for misuse. In both
 * cases, the tool must not run
 */
export async function authorizeCall<I>(
  engine: Engine,
  { tool, input, callId, signal }: ToolCall<I>,
  given: GuardOptions = {},
): Promise<AllowedCall<I> | Denial> {
  // Own fields, each read once: a name on `Object.prototype` is not an option.
  const options: GuardOptions = { __proto__: null, ...given } as GuardOptions
  const signals = [options.signal, signal].filter((one) => one !== undefined)
  const either = signals.length > 1 ? AbortSignal.any(signals) : signals[0]
  const authorization = await engine.authorize({
    action: tool,
    ...options,
    args: [input],
    metadata: { ...options.metadata, ...(callId === undefined ? {} : { tool_call_id: callId }) },
    ...(either === undefined ? {} : { signal: either }),
  })
  if (authorization.status === 'denied') return authorization
  // An engine in another process may return anything, and callers treat every value that is not a denial as an
  // authorization.
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

/**
 * Reads a tool's generator, which these frameworks do not read. The result is its return value, or its last step if it
 * returns nothing. The tool's work is done only at the end, and it can fail midway.
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
 * @param run - called at most once, with the arguments of the decision; an error that it throws is recorded and
 * rethrown unchanged
 * @param failed - whether an output reports that the tool failed, for frameworks with such outputs
 * @throws the error of the tool; for other errors, see `authorizeCall`
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
