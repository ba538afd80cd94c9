/**
 * LangChain.js 1: guards every tool call of an agent, or individual tools.
 *
 * @example
 * const guard = createMiddleware({ name: 'sudoagent', wrapToolCall: guardToolCalls(engine) })
 * createAgent({ model, tools, middleware: [guard] })
 * createAgent({ model, tools: guardTools(engine, [refund]) })
 *
 * The action is the tool's name. The middleware decides on the input as the model wrote it, before the tool's schema
 * parses it; an individually guarded tool decides on the parsed input. In both cases, the input becomes the call's
 * named arguments. A denial is returned as a `ToolMessage` with the status `error`, because a thrown error would end
 * the run or ask the model to try again. Put the guard last in `middleware`, so that no other middleware changes a call
 * after the decision. The authority of a call comes from `configurable.sudoagent`.
 */
import { ToolMessage } from '@langchain/core/messages'
import type { Denial, Engine } from '@sudoagent/core'
import { denialText } from './denial-text.js'
import { authorityIn, type GuardOptions, guardedCall } from './guarded-call.js'

/**
 * The members of a `wrapToolCall` request that this file reads, declared here so that individual tools do not need
 * `langchain`.
 */
interface ToolCallRequest {
  readonly toolCall: { readonly name: string; readonly args: Record<string, unknown>; readonly id?: string | undefined }
  readonly runtime: { readonly signal?: AbortSignal | undefined; readonly configurable?: unknown }
}

/**
 * Returns a `wrapToolCall` for `createMiddleware` that guards every tool of the agent, including tools that other
 * middleware adds.
 */
export function guardToolCalls(engine: Engine, options?: Omit<GuardOptions, 'action'>) {
  return async <R extends ToolCallRequest, O>(
    request: R,
    handler: (request: R) => O | PromiseLike<O>,
  ): Promise<Awaited<O> | ToolMessage> => {
    const { name: tool, args: input, id: callId } = request.toolCall
    const run = (args: Record<string, unknown>) => handler({ ...request, toolCall: { ...request.toolCall, args } })
    const { signal, configurable } = request.runtime
    const call = { tool, input, callId, signal, authority: authorityIn(configurable) }
    const ended = await guardedCall(engine, call, options, run, reportsError)
    return ended.status === 'denied' ? deniedMessage(ended, tool, callId ?? '') : ended.output
  }
}

interface RunConfig {
  readonly toolCall?: { readonly id?: string }
  readonly signal?: AbortSignal
  readonly configurable?: unknown
}
type Call = (input: unknown, runManager: unknown, config?: RunConfig) => Promise<unknown>

/**
 * The members of a `StructuredTool` that this file reads. The tool runs in `_call`, which the type does not declare.
 */
interface StructuredToolLike {
  readonly name: string
  // biome-ignore lint/suspicious/noExplicitAny: "any tool": parameters are contravariant, so `unknown` would accept none
  invoke(input: any, config?: any): unknown
}

/** Guards every tool in a list. @throws TypeError for a tool that is not a `StructuredTool` */
export function guardTools<T extends readonly StructuredToolLike[]>(
  engine: Engine,
  tools: readonly [...T],
  options?: Omit<GuardOptions, 'action'>,
): [...T] {
  return tools.map((tool) => guardTool(engine, tool, options)) as [...T]
}

/**
 * Guards one tool without changing the original. If a program calls the tool without a call ID, a denial is returned as
 * text.
 *
 * @throws TypeError for a tool that is not a `StructuredTool`, such as a runnable, which does not run in `_call`
 */
export function guardTool<T extends StructuredToolLike>(engine: Engine, tool: T, options?: GuardOptions): T {
  const {
    name,
    responseFormat,
    _call: original,
  } = tool as StructuredToolLike & { responseFormat?: unknown; _call?: Call }
  if (typeof original !== 'function') throw new TypeError(`tool \`${name}\` has no \`_call\` to guard`)
  const _call: Call = async (input, runManager, config) => {
    const callId = config?.toolCall?.id
    const authority = authorityIn(config?.configurable)
    const call = { tool: name, input, callId, signal: config?.signal, authority }
    const run = async (decided: unknown) => resultOf(await original.call(tool, decided, runManager, config))
    const ended = await guardedCall(engine, call, options, run, reportsError)
    if (ended.status === 'ran') return ended.output
    const content = callId === undefined ? denialText(ended) : deniedMessage(ended, name, callId)
    return responseFormat === 'content_and_artifact' ? [content, undefined] : content
  }
  return Object.create(tool, { _call: { value: _call } }) as T
}

function deniedMessage(denial: Denial, name: string, callId: string): ToolMessage {
  return new ToolMessage({ content: denialText(denial), name, tool_call_id: callId, status: 'error' })
}

const reportsError = (output: unknown): boolean => ToolMessage.isInstance(output) && output.status === 'error'

/**
 * Reads a generator to the end. The result is the generator's return value, so the outcome is known only at the end.
 */
async function resultOf(output: unknown): Promise<unknown> {
  if (Object.prototype.toString.call(output) !== '[object AsyncGenerator]') return output
  let step: IteratorResult<unknown>
  do step = await (output as AsyncGenerator).next()
  while (!step.done)
  return step.value
}
