/**
 * OpenAI Agents SDK: the options of a tool, guarded.
 *
 * @example
 * const refund = tool(guardTool(engine, { name: 'refund', description, parameters: z.object({ amount: z.number() }), execute: async ({ amount }) => … }))
 *
 * The action is the tool's name; the input, as its schema parsed it, is the call's named arguments. A denial is
 * returned as the tool's result: a throw would be shown as "an error occurred, try again" without the reason. Only a
 * tool with an `outputSchema`, whose result must have that form, throws `ToolDenied`; give it an `errorFunction`.
 * `needsApproval` and guardrails ask before `execute`; they are no boundary, `execute` is. Tools that OpenAI or an
 * MCP server runs have no `execute` here: the MCP guard stands in front of those.
 */
import type { Engine } from '@sudoagent/core'
import { denialText, ToolDenied } from './denial-text.js'
import { type GuardOptions, guardedCall, type InputOf } from './guarded-call.js'

// Nothing is imported from `@openai/agents`: these are the parts of the options of its `tool`. Functions are here so
// that their parameters have types where a tool is written in place; what the SDK's own type says more precisely,
// `tool` checks.

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

/** Guards the options of several tools; each then goes to `tool`. @throws TypeError as `guardTool` does */
export function guardTools<T extends readonly object[]>(
  engine: Engine,
  tools: readonly [...T],
  options?: Omit<GuardOptions, 'action'>,
): [...T] {
  return tools.map((tool) => guardTool(engine, tool as OptionsOfTool<unknown>, options)) as unknown as [...T]
}

/**
 * Options for `tool` whose `execute` is guarded.
 *
 * @throws TypeError when there is no name to record it under, or nothing to guard
 */
export function guardTool<P, T>(engine: Engine, tool: T & OptionsOfTool<P>, options?: GuardOptions): T {
  // How the forms of the options type the input differs, not how it arrives.
  const { execute, outputSchema } = tool as { readonly execute: Execute; readonly outputSchema?: unknown }
  if (typeof execute !== 'function') throw new TypeError('a tool without `execute` cannot be guarded')
  // The SDK takes the function's name, too; after wrapping it would be ours.
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
