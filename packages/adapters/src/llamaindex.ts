/**
 * LlamaIndex.TS: the definition of a tool, guarded.
 *
 * @example
 * const refund = tool(guardTool(engine, { name: 'refund', description, parameters: z.object({ amount: z.number() }), execute: ({ amount }) => … }))
 * await agent({ llm, tools: [refund] }).run(prompt)
 *
 * The action is the tool's name; the input, as its schema parsed it, is the call's named arguments, and the function
 * gets exactly that. A denial is thrown as `ToolDenied`: the agent makes it a tool result with `isError`, whose
 * message the model is shown, and goes on with the other calls. LlamaIndex hands a tool neither an abort signal nor
 * the id of the call: to end a wait for an approval, put a `signal` into the options. A finished tool is refused,
 * because its schema would change the input after the decision.
 */
import type { Engine } from '@sudoagent/core'
import { ToolDenied } from './denial-text.js'
import { type GuardOptions, guardedCall, isPlainObject } from './guarded-call.js'

// Nothing is imported from `@llamaindex/core`: these are the parts of what its `tool` takes that are read.
interface Definition {
  readonly name: string
  // biome-ignore lint/suspicious/noExplicitAny: "any function": parameters are contravariant, so `unknown` would accept none
  execute(input: any, additionalArg?: any): unknown
}

/** Guards several definitions; each then goes to `tool`. @throws TypeError as `guardTool` does */
export function guardTools<T extends readonly Definition[]>(
  engine: Engine,
  definitions: readonly [...T],
  options?: Omit<GuardOptions, 'action'>,
): [...T] {
  return definitions.map((one) => guardTool(engine, one, options)) as [...T]
}

/**
 * Guards one definition, which then goes to `tool`.
 *
 * @throws TypeError for a finished tool, and for a definition without `name` or `execute`
 */
export function guardTool<T extends Definition>(engine: Engine, definition: T, options?: GuardOptions): NoInfer<T> {
  if (!isPlainObject(definition)) throw new TypeError('guard the definition of the tool, and give the result to `tool`')
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
