/**
 * Mastra 1 and 0.24: guards tool definitions.
 *
 * @example
 * const definition = { id: 'refund', description, inputSchema, execute: async ({ amount }) => … }
 * const refund = createTool(guardTool(engine, definition))
 *
 * const definition = { id: 'refund', description, inputSchema, execute: async ({ context }) => … } // 0.24
 * const refund = createTool(guardToolV0(engine, definition))
 *
 * The action is the tool's `id`; the input, as the tool's schema parsed it, becomes the call's named arguments. The
 * function receives exactly this input. In version 1, a denial is thrown as `ToolDenied`, and the model sees the
 * message as the tool's error. Version 0.24 would show the model an error object with internal details, so a denial is
 * returned as the tool's output there. `requireApproval` and `hooks.beforeToolCall` run before `execute`; only
 * `execute` is a security boundary. The guarded definition omits `onInputStart`, `onInputDelta` and `onInputAvailable`,
 * because they would receive the model's input before the decision. The result of `createTool` is rejected, because it
 * would parse the input again after the decision. The authority of a call comes from the entry `sudoagent` of the
 * request context (0.24: the runtime context).
 */
import type { Engine } from '@sudoagent/core'
import { denialText, ToolDenied } from './denial-text.js'
import {
  authorityIn,
  type GuardOptions,
  guardedCall,
  type InputOf,
  isPlainObject,
  withExecute,
} from './guarded-call.js'

// This file imports nothing from `@mastra/core`. It declares the members of a definition for `createTool` that it
// reads.
interface Definition<P> {
  readonly id: string
  readonly inputSchema?: P
  // biome-ignore lint/suspicious/noExplicitAny: the context has the type that the version of Mastra gives it
  execute?(input: InputOf<P>, context: any): unknown
}
/** Version 0.24 passes one object, whose member `context` is the input. */
interface DefinitionV0<P> {
  readonly id: string
  readonly inputSchema?: P
  // biome-ignore lint/suspicious/noExplicitAny: the context has the type that the version of Mastra gives it
  execute?(context: { readonly context: InputOf<P> } & Record<string, any>, how?: any): unknown
}

/** The members of version 1's execution context that this file reads. */
interface ExecutionContext {
  readonly abortSignal?: AbortSignal | undefined
  readonly toolCallId?: string | undefined
  readonly agent?: { readonly toolCallId?: string | undefined } | undefined
  readonly requestContext?: unknown
}

/** Guards several definitions of version 1; pass each result to `createTool`. @throws TypeError as `guardTool` does */
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
 * Guards one definition of version 1; pass the result to `createTool`.
 *
 * @throws TypeError for the result of `createTool`, and for a definition without `id` or `execute`
 */
export function guardTool<P, T>(engine: Engine, definition: T & Definition<P>, options?: GuardOptions): NoInfer<T> {
  const { id, run } = partsOf(definition)
  const execute = async (input: unknown, context?: ExecutionContext): Promise<unknown> => {
    const callId = context?.agent?.toolCallId ?? context?.toolCallId
    const authority = authorityIn(context?.requestContext)
    const call = { tool: id, input, callId, signal: context?.abortSignal, authority }
    const ended = await guardedCall(engine, call, options, (decided) => run(decided, context))
    if (ended.status === 'denied') throw new ToolDenied(ended)
    return ended.output
  }
  return withExecute(definition, execute)
}

/** The members of version 0.24's execution context that this file reads. */
interface ContextV0 {
  readonly context: unknown
  readonly runtimeContext?: unknown
}

/** The members of version 0.24's invocation options that this file reads. */
interface InvocationOptions {
  readonly abortSignal?: AbortSignal | undefined
  readonly toolCallId?: string | undefined
}

/**
 * Guards one definition of version 0.24; pass the result to `createTool`. A denial is returned as the tool's output.
 *
 * @throws TypeError as `guardTool` does
 */
export function guardToolV0<P, T>(engine: Engine, definition: T & DefinitionV0<P>, options?: GuardOptions): NoInfer<T> {
  const { id, run } = partsOf(definition)
  const execute = async (context: ContextV0, how?: InvocationOptions): Promise<unknown> => {
    const authority = authorityIn(context.runtimeContext)
    const call = { tool: id, input: context.context, callId: how?.toolCallId, signal: how?.abortSignal, authority }
    const decidedOn = (decided: unknown) => run({ ...context, context: decided }, how)
    const ended = await guardedCall(engine, call, options, decidedOn)
    // The agent shows every output to the model unchanged. A program that calls the tool gets the denial text instead
    // of the output.
    return ended.status === 'ran' ? ended.output : denialText(ended)
  }
  return withExecute(definition, execute)
}

/** Returns the name and the function of a definition. */
function partsOf(definition: object): { id: string; run: (input: unknown, context: unknown) => unknown } {
  if (!isPlainObject(definition)) throw new TypeError('guard the tool definition, then pass the result to `createTool`')
  const { id, execute } = definition as { readonly id?: unknown; readonly execute?: unknown }
  if (typeof id !== 'string' || id === '') throw new TypeError('the tool needs an `id`')
  if (typeof execute !== 'function') throw new TypeError(`tool \`${id}\` has no \`execute\` to guard`)
  return { id, run: execute.bind(definition) }
}
