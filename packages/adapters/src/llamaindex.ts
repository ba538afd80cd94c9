/**
 * LlamaIndex.TS: the function of a tool, guarded.
 *
 * @example
 * tool({ name: 'refund', description, parameters: z.object({ amount: z.number() }), execute: guardTool(engine, 'refund', async ({ amount }) => …) })
 *
 * The action is the name given here; the input, as the tool's schema parsed it, is the call's named arguments. A denial is thrown as `ToolDenied`:
 * the agent makes it a tool result with `isError`, whose message the model is shown, and goes on with the other calls. LlamaIndex hands a tool
 * neither an abort signal nor the id of the call: to end a wait for an approval, put a `signal` into the options.
 */
import type { Engine } from '@sudoagent/core'
import { ToolDenied } from './denial-text.js'
import { type GuardOptions, guardedCall } from './guarded-call.js'

/** Guards the function that `tool` or `FunctionTool.from` is given. */
export function guardTool<T, R, A extends object = object>(
  engine: Engine,
  name: string,
  fn: (input: T, additionalArg?: A) => R,
  options?: GuardOptions,
): (input: T, additionalArg?: A) => Promise<Awaited<R>> {
  if (typeof fn !== 'function') throw new TypeError(`tool \`${name}\` has no function to guard`)
  return async (input, additionalArg): Promise<Awaited<R>> => {
    const ended = await guardedCall(engine, { tool: name, input }, options, (decided) => fn(decided, additionalArg))
    if (ended.status === 'denied') throw new ToolDenied(ended)
    return ended.output
  }
}
