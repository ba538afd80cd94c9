/**
 * Mastra, 1 and 0.24: the `execute` of a tool, guarded.
 *
 * @example
 * createTool({ id: 'refund', description, inputSchema, execute: guardTool(engine, 'refund', async ({ amount }) => …) }) // 1
 * createTool({ id: 'refund', description, inputSchema, execute: guardToolV0(engine, 'refund', async ({ context }) => …) }) // 0.24
 *
 * The action is the name given here; the input, as the tool's schema parsed it, is the call's named arguments. In version 1 a denial is thrown as
 * `ToolDenied`, whose message the model is shown as the tool's error. Version 0.24 would show that as an error object with its own
 * internals, so there it is returned as the tool's output. `requireApproval` and `hooks.beforeToolCall` ask before `execute`, which is the boundary.
 */
import type { Engine } from '@sudoagent/core'
import { denialText, ToolDenied } from './denial-text.js'
import { type GuardOptions, guardedCall } from './guarded-call.js'

/** What is read of version 1's execution context. */
interface ExecutionContext {
  readonly abortSignal?: AbortSignal | undefined
  readonly agent?: { readonly toolCallId: string } | undefined
}

/** Guards an `execute(input, context)` of version 1. */
export function guardTool<I, C extends ExecutionContext, O>(
  engine: Engine,
  name: string,
  execute: (input: I, context: C) => O,
  options?: GuardOptions,
): (input: I, context: C) => Promise<Awaited<O>> {
  requireFunction(name, execute)
  return async (input, context): Promise<Awaited<O>> => {
    const call = { tool: name, input, callId: context?.agent?.toolCallId, signal: context?.abortSignal }
    const ended = await guardedCall(engine, call, options, (decided) => execute(decided, context))
    if (ended.status === 'denied') throw new ToolDenied(ended)
    return ended.output
  }
}

/** What is read of version 0.24's invocation options. */
interface InvocationOptions {
  readonly abortSignal?: AbortSignal | undefined
  readonly toolCallId?: string | undefined
}

/** Guards an `execute({ context, … }, options)` of version 0.24. A denial is the tool's output. */
export function guardToolV0<C extends { readonly context: unknown }, O, R>(
  engine: Engine,
  name: string,
  execute: (context: C, how?: R) => O,
  options?: GuardOptions,
): (context: C, how?: R) => Promise<Awaited<O>> {
  requireFunction(name, execute)
  return async (context, how): Promise<Awaited<O>> => {
    const { toolCallId: callId, abortSignal: signal } = (how ?? {}) as InvocationOptions
    const call = { tool: name, input: context.context, callId, signal }
    const ended = await guardedCall(engine, call, options, (decided) => execute({ ...context, context: decided }, how))
    // The agent shows the model any output as it is; a program that calls the tool itself gets this text in place of the output.
    return ended.status === 'ran' ? ended.output : (denialText(ended) as Awaited<O>)
  }
}

function requireFunction(name: string, execute: unknown): void {
  if (typeof execute !== 'function') throw new TypeError(`tool \`${name}\` has no \`execute\` to guard`)
}
