/**
 * OpenAI Agents SDK: the options of a tool, guarded.
 *
 * @example
 * const refund = tool(guardTool(engine, { name: 'refund', description, parameters: z.object({ amount: z.number() }), execute: async ({ amount }) => … }))
 *
 * The action is the tool's name; the input, as its schema parsed it, is the call's named arguments. A denial is returned as the tool's result: a
 * throw would be shown as "an error occurred, try again" without the reason. Only a tool with an `outputSchema`, whose result must have that form,
 * throws `ToolDenied`; give it an `errorFunction`. `needsApproval` and guardrails ask before `execute`; they are no boundary, `execute` is. Tools
 * that OpenAI or an MCP server runs have no `execute` here: the MCP guard stands in front of those.
 */
import type { RunContext, ToolInputParameters, ToolOptions, ToolOutputSchema } from '@openai/agents'
import type { Engine } from '@sudoagent/core'
import { denialText, ToolDenied } from './denial-text.js'
import { type GuardOptions, guardedCall } from './guarded-call.js'

interface CallDetails {
  readonly toolCall?: { readonly callId: string }
  readonly signal?: AbortSignal
}
type Execute = (input: unknown, context?: RunContext<never>, details?: CallDetails) => unknown

/** Options for `tool` whose `execute` is guarded. @throws TypeError when there is no name to record it under, or nothing to guard */
export function guardTool<
  P extends ToolInputParameters = undefined,
  C = unknown,
  S extends ToolOutputSchema | undefined = undefined,
>(engine: Engine, tool: ToolOptions<P, C, S>, options?: GuardOptions): ToolOptions<P, C, S> {
  // The two forms of the options differ in how they type the input, not in how it arrives.
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
  return { ...tool, name, execute: guarded } as ToolOptions<P, C, S>
}
