/**
 * LlamaIndex.TS: guards tool definitions.
 *
 * @example
 * const definition = { name: 'refund', description, parameters, execute: ({ amount }) => … }
 * const refund = tool(guardTool(engine, definition))
 * await agent({ llm, tools: [refund] }).run(prompt)
 *
 * The action is the tool's name; the input, as the tool's schema parsed it, becomes the call's named arguments. The
 * function receives exactly this input. A denial is thrown as `ToolDenied`: the agent converts it to a tool result with
 * `isError`, shows the message to the model, and continues the other calls. LlamaIndex passes neither an abort signal
 * nor the call ID to a tool; set the option `signal` to be able to cancel the wait for an approval. The result of
 * `tool` is rejected, because its schema would parse the input again after the decision.
 */
import type { Engine } from '@sudoagent/core'
import { ToolDenied } from './denial-text.js'
import { type GuardOptions, guardedCall, isPlainObject } from './guarded-call.js'

// This file imports nothing from `@llamaindex/core`. It declares the members of a definition that it reads.
interface Definition {
  readonly name: string
  // biome-ignore lint/suspicious/noExplicitAny: "any function": parameters are contravariant, so `unknown` would accept none
  execute(input: any, additionalArg?: any): unknown
}

/** Guards several definitions; pass each result to `tool`. @throws TypeError as `guardTool` does */
export function guardTools<T extends readonly Definition[]>(
  engine: Engine,
  definitions: readonly [...T],
  options?: Omit<GuardOptions, 'action'>,
): [...T] {
  return definitions.map((one) => guardTool(engine, one, options)) as [...T]
}

/**
 * Guards one definition; pass the result to `tool`.
 *
 * @throws TypeError for the result of `tool`, and for a definition without `name` or `execute`
 */
export function guardTool<T extends Definition>(engine: Engine, definition: T, options?: GuardOptions): NoInfer<T> {
  if (!isPlainObject(definition)) throw new TypeError('guard the tool definition, then pass the result to `tool`')
  const { name, execute } = definition
  if (typeof name !== 'string' || name === '') throw new TypeError('the tool needs a `name`')
  if (typeof execute !== 'function') throw new TypeError(`tool \`${name}\` has no \`execute\` to guard`)
  const guarded = async (input: unknown, additionalArg?: unknown): Promise<unknown> => {
    const run = (decided: unknown) => execute.call(definition, decided, additionalArg)
    const ended = await guardedCall(engine, { tool: name, input }, options, run)
    if (ended.status === 'denied') throw new ToolDenied(ended)
    return ended.output
  }
  return { ...definition, execute: guarded }
}
