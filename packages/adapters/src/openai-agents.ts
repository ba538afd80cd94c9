/**
 * OpenAI Agents SDK: guards tool options before they are passed to `tool`.
 *
 * @example
 * const options = { name: 'refund', description, parameters, execute: async ({ amount }) => … }
 * const refund = tool(guardTool(engine, options))
 *
 * The action is the tool's name; the input, as its schema parsed it, becomes the call's named arguments. A denial is
 * returned as the tool's result, because the SDK would replace a thrown error with "an error occurred, try again" and
 * omit the reason. The result of a tool with an `outputSchema` must match the schema, so such a tool throws
 * `ToolDenied` and needs an `errorFunction`. `needsApproval` and guardrails run before `execute`; only `execute` is a
 * security boundary. Tools that OpenAI or an MCP server runs do not have an `execute` here: put the MCP guard in front
 * of those MCP servers. The authority of a call comes from the member `sudoagent` of the run context.
 */
import type { Engine } from '@sudoagent/core'
import { denialText, ToolDenied } from './denial-text.js'
import { authorityIn, type GuardOptions, guardedCall, type InputOf } from './guarded-call.js'

// This file imports nothing from `@openai/agents`. It declares the members of the tool options that it reads. The
// functions are declared so that TypeScript infers the parameter types of an inline tool; `tool` then checks the
// SDK's more precise types.

interface CallDetails {
  readonly toolCall?: { readonly callId: string }
  readonly signal?: AbortSignal
}
// biome-ignore lint/suspicious/noExplicitAny: the SDK's context has the type that the program gives it
type Context = any
interface OptionsOfTool<P> {
  readonly name?: string
  readonly parameters: P
  execute(input: InputOf<P>, context?: Context, details?: CallDetails): unknown
  readonly errorFunction?: ((context: Context, error: unknown, details?: CallDetails) => unknown) | null
  readonly isEnabled?: boolean | ((details: Context) => boolean | Promise<boolean>)
  readonly needsApproval?: boolean | ((context: Context, input: InputOf<P>, callId?: string) => Promise<boolean>)
}
type Execute = (input: unknown, context?: Context, details?: CallDetails) => unknown

/**
 * Guards the options of several tools; pass each element of the result to `tool`.
 *
 * @throws TypeError as `guardTool` does
 */
export function guardTools<T extends readonly object[]>(
  engine: Engine,
  tools: readonly [...T],
  options?: Omit<GuardOptions, 'action'>,
): [...T] {
  return tools.map((tool) => guardTool(engine, tool as OptionsOfTool<unknown>, options)) as unknown as [...T]
}

/**
 * Returns options for `tool` with a guarded `execute`.
 *
 * @throws TypeError if the tool has neither a `name` nor a named function, or no `execute`
 */
export function guardTool<P, T>(engine: Engine, tool: T & OptionsOfTool<P>, options?: GuardOptions): T {
  // The SDK's option types differ only in the type of the input, not in its runtime value.
  const { execute, outputSchema } = tool as { readonly execute: Execute; readonly outputSchema?: unknown }
  if (typeof execute !== 'function') throw new TypeError('a tool without `execute` cannot be guarded')
  // The SDK also falls back to the function's name. Wrapping would change the function's name, so the name is read
  // here.
  const name = tool.name ?? execute.name
  if (name === '') throw new TypeError('the tool needs a `name`')

  const guarded: Execute = async (input, context, details) => {
    const authority = authorityIn((context as { readonly context?: unknown } | undefined)?.context)
    const call = { tool: name, input, callId: details?.toolCall?.callId, signal: details?.signal, authority }
    const ended = await guardedCall(engine, call, options, (decided) => execute(decided, context, details))
    if (ended.status === 'ran') return ended.output
    if (outputSchema !== undefined) throw new ToolDenied(ended)
    return denialText(ended)
  }
  return { ...tool, name, execute: guarded }
}
