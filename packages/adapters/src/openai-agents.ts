/**
 * OpenAI Agents SDK: guards the options of a tool.
 *
 * @example
 * const options = { name: 'refund', description, parameters, execute: async ({ amount }) => … }
 * const refund = tool(guardTool(engine, options))
 *
 * The action is the tool's name; the input, as its schema parsed it, becomes the call's named arguments. A denial is
 * returned as the tool's result, because the SDK replaces an error by "an error occurred, try again" without the
 * reason. Only a tool with an `outputSchema`, whose result must match it, throws `ToolDenied`; such a tool needs an
 * `errorFunction`. `needsApproval` and guardrails ask before `execute`; only `execute` is a security boundary. Tools
 * that OpenAI or an MCP server runs have no `execute` here: put the MCP guard in front of those servers.
 */
import type { Engine } from '@sudoagent/core'
import { denialText, ToolDenied } from './denial-text.js'
import { type GuardOptions, guardedCall, type InputOf } from './guarded-call.js'

// Nothing is imported from `@openai/agents`. These are the parts of the options of its `tool`. The functions are
// declared so that the parameters of an inline tool have types; `tool` itself checks the more precise types of the SDK.

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

/** Guards the options of several tools; pass each result to `tool`. @throws TypeError as `guardTool` does */
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
 * @throws TypeError if there is no name to record, or no function to guard
 */
export function guardTool<P, T>(engine: Engine, tool: T & OptionsOfTool<P>, options?: GuardOptions): T {
  // The forms of the options differ in the type of the input, but not in its value.
  const { execute, outputSchema } = tool as { readonly execute: Execute; readonly outputSchema?: unknown }
  if (typeof execute !== 'function') throw new TypeError('a tool without `execute` cannot be guarded')
  // The SDK also uses the function's name, which wrapping would change.
  const name = tool.name ?? execute.name
  if (name === '') throw new TypeError('the tool needs a `name`')

  const guarded: Execute = async (input, context, details) => {
    const call = { tool: name, input, callId: details?.toolCall?.callId, signal: details?.signal }
    const ended = await guardedCall(engine, call, options, (decided) => execute(decided, context, details))
    if (ended.status === 'ran') return ended.output
    if (outputSchema !== undefined) throw new ToolDenied(ended)
    return denialText(ended)
  }
  return { ...tool, name, execute: guarded }
}
