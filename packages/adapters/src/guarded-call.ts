// One tool call through the engine, for every adapter. The tool runs after the decision was recorded, with the
// arguments that were decided on; how it ended is recorded too. A refusal of any kind comes back as the engine's one
// denial; only misuse and aborts are thrown.
import type { CallOptions, CallOutcome, Denial, Engine } from '@sudoagent/core'

/**
 * Options of every adapter. `signal` is one of the caller's own; where the framework has one for the call, both
 * count.
 */
export type GuardOptions = CallOptions

/** For what has no name of its own in its framework: `action` is the name that the policy and the ledger see. */
export type NamedGuardOptions = GuardOptions & { readonly action: string }

/** The action of a tool that has no name of its own. @throws TypeError when the options do not give it */
export function requireAction(options: NamedGuardOptions | undefined): string {
  const { action } = { __proto__: null, ...options } as Partial<NamedGuardOptions>
  if (typeof action !== 'string' || action === '')
    throw new TypeError('the options need `action`, the name of the tool')
  return action
}

export interface ToolCall<I> {
  /** The tool's name, unless the options name the action. */
  readonly tool: string
  /**
   * One plain object is the call's named arguments: `kwargs` in the policy and in the ledger. Anything else is in
   * `args`.
   */
  readonly input: I
  /** The framework's id of the call; is recorded as `tool_call_id` in the metadata. */
  readonly callId?: string | undefined
  readonly signal?: AbortSignal | undefined
}

/** A call that may run, with `input` and nothing else. Its end has to be reported once. */
export interface AllowedCall<I> {
  readonly status: 'allowed'
  readonly input: I
  /** The caller's signal and the framework's in one; aborted when either is. */
  readonly signal: AbortSignal | undefined
  end(outcome: CallOutcome): Promise<void>
  /**
   * Reports that the tool returned `output`.
   *
   * @returns the output to hand on: a stream or a function is recorded when it has ended (`Engine.recordResult`)
   */
  returned<O>(output: O): Promise<O>
}

/** The input that a framework hands to a tool's function, by the kind of the tool's schema. */
export type InputOf<P> = P extends { readonly '~standard': { readonly types?: infer T } }
  ? NonNullable<T> extends { readonly output: infer O }
    ? O
    : unknown
  : P extends { readonly _output: infer O }
    ? O
    : P extends undefined
      ? string
      : unknown

/** Whether a value is a plain object, such as the definition of a tool; a finished tool has a class. */
export function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** Functions of a tool that a framework calls with the model's input before `execute`, so before the decision. */
const BEFORE_EXECUTE = ['onInputStart', 'onInputDelta', 'onInputAvailable']

/** A copy of a tool, or of its definition, with another `execute`, and without what would see the input before it. */
export function withExecute<T>(tool: T, execute: unknown): T {
  const copy = { ...tool, execute }
  for (const name of BEFORE_EXECUTE) Reflect.deleteProperty(copy, name)
  return copy
}

export type EndedCall<O> = { readonly status: 'ran'; readonly output: O } | Denial

/**
 * Decides about a call.
 *
 * @throws (as a rejection) the reason of a signal that was aborted before the decision; TypeError for misuse. The tool must not run then, either
 */
export async function authorizeCall<I>(
  engine: Engine,
  { tool, input, callId, signal }: ToolCall<I>,
  given: GuardOptions = {},
): Promise<AllowedCall<I> | Denial> {
  // Own fields, each read once: a name on the prototype of all objects is not an option.
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
  // An engine in another process may answer anything: callers take what is not a denial for an authorization.
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
 * The result of a tool that is a generator, which no framework of these reads: what it returns, or else what it
 * yields last. Until then its work is not done, and it may fail half-way.
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
 * @param run - called at most once, with the arguments that the decision is about; what it throws is recorded and thrown on, unchanged
 * @param failed - whether an output says that the tool failed, where the framework has such outputs
 * @throws what the tool threw; see `authorizeCall` for the rest
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
    // The decision took its time, and the caller may be gone.
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
