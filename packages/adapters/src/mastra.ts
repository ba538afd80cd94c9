/**
 * Mastra, 1 and 0.24: the definition of a tool, guarded.
 *
 * @example
 * const refund = createTool(guardTool(engine, { id: 'refund', description, inputSchema, execute: async ({ amount }) => … }))
 * const refund = createTool(guardToolV0(engine, { id: 'refund', description, inputSchema, execute: async ({ context }) => … })) // 0.24
 *
 * The action is the tool's `id`; the input, as its schema parsed it, is the call's named arguments, and the function
 * gets exactly that. In version 1 a denial is thrown as `ToolDenied`, whose message the model is shown as the tool's
 * error. Version 0.24 would show that as an error object with its own internals, so there it is returned as the
 * tool's output. `requireApproval` and `hooks.beforeToolCall` ask before `execute`, which is the boundary.
 * `onInputStart`, `onInputDelta` and `onInputAvailable` would get the model's input before the decision: the guarded
 * definition does not have them. A finished tool is refused, because it parses its input again after the decision.
 */
import type { Engine } from '@sudoagent/core'
import { denialText, ToolDenied } from './denial-text.js'
import { type GuardOptions, guardedCall, type InputOf, isPlainObject, withExecute } from './guarded-call.js'

// Nothing is imported from `@mastra/core`: these are the parts of what its `createTool` takes.
interface Definition<P> {
  readonly id: string
  readonly inputSchema?: P
  // biome-ignore lint/suspicious/noExplicitAny: the context has the type that the version of Mastra gives it
  execute?(input: InputOf<P>, context: any): unknown
}
/** Version 0.24 hands the input over as `context`, among other things. */
interface DefinitionV0<P> {
  readonly id: string
  readonly inputSchema?: P
  // biome-ignore lint/suspicious/noExplicitAny: the context has the type that the version of Mastra gives it
  execute?(context: { readonly context: InputOf<P> } & Record<string, any>, how?: any): unknown
}

/** The parts of version 1's execution context that are read. */
interface ExecutionContext {
  readonly abortSignal?: AbortSignal | undefined
  readonly toolCallId?: string | undefined
  readonly agent?: { readonly toolCallId?: string | undefined } | undefined
}

/** Guards several definitions of version 1; each then goes to `createTool`. @throws TypeError as `guardTool` does */
export function guardTools<T extends Record<string, object>>(
  engine: Engine,
  definitions: T,
  options?: Omit<GuardOptions, 'action'>,
): T {
  const guarded = Object.entries(definitions).map(([name, one]) => [
    name,
    guardTool(engine, one as Definition<unknown>, options),
  ])
  return Object.fromEntries(guarded) as T
}

/**
 * Guards one definition of version 1, which then goes to `createTool`.
 *
 * @throws TypeError for a finished tool, and for a definition without `id` or `execute`
 */
export function guardTool<P, T>(engine: Engine, definition: T & Definition<P>, options?: GuardOptions): NoInfer<T> {
  const { id, run } = partsOf(definition)
  const execute = async (input: unknown, context?: ExecutionContext): Promise<unknown> => {
    const callId = context?.agent?.toolCallId ?? context?.toolCallId
    const call = { tool: id, input, callId, signal: context?.abortSignal }
    const ended = await guardedCall(engine, call, options, (decided) => run(decided, context))
    if (ended.status === 'denied') throw new ToolDenied(ended)
    return ended.output
  }
  return withExecute(definition, execute)
}

/** The parts of version 0.24's invocation options that are read. */
interface InvocationOptions {
  readonly abortSignal?: AbortSignal | undefined
  readonly toolCallId?: string | undefined
}

/**
 * Guards one definition of version 0.24, which then goes to `createTool`. A denial is the tool's output.
 *
 * @throws TypeError as `guardTool` does
 */
export function guardToolV0<P, T>(engine: Engine, definition: T & DefinitionV0<P>, options?: GuardOptions): NoInfer<T> {
  const { id, run } = partsOf(definition)
  const execute = async (context: { readonly context: unknown }, how?: InvocationOptions): Promise<unknown> => {
    const call = { tool: id, input: context.context, callId: how?.toolCallId, signal: how?.abortSignal }
    const decidedOn = (decided: unknown) => run({ ...context, context: decided }, how)
    const ended = await guardedCall(engine, call, options, decidedOn)
    // The agent shows the model any output as it is; a program that calls the tool itself gets this text in place of
    // the output.
    return ended.status === 'ran' ? ended.output : denialText(ended)
  }
  return withExecute(definition, execute)
}

/** The name of a definition, and its function. */
function partsOf(definition: object): { id: string; run: (input: unknown, context: unknown) => unknown } {
  if (!isPlainObject(definition))
    throw new TypeError('guard the definition of the tool, and give the result to `createTool`')
  const { id, execute } = definition as { readonly id?: unknown; readonly execute?: unknown }
  if (typeof id !== 'string' || id === '') throw new TypeError('the tool needs an `id`')
  if (typeof execute !== 'function') throw new TypeError(`tool \`${id}\` has no \`execute\` to guard`)
  return { id, run: execute.bind(definition) }
}
