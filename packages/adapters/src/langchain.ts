/**
 * LangChain.js 1: every tool call of an agent, or single tools.
 *
 * @example
 * createAgent({ model, tools, middleware: [createMiddleware({ name: 'sudoagent', wrapToolCall: guardToolCalls(engine) })] })
 * createAgent({ model, tools: guardTools(engine, [refund]) })
 *
 * The action is the tool's name. As middleware, what is decided on is what the model wrote, before the tool's schema
 * parses it; around a single tool it is what the schema made of it. Either is the call's named arguments. A denial is
 * returned as a `ToolMessage` with the status `error`: a throw would end the run, or ask the model to try again. Put
 * the guard last in the list, so that nothing changes a call after the decision.
 */
import { ToolMessage } from '@langchain/core/messages'
import type { Denial, Engine } from '@sudoagent/core'
import { denialText } from './denial-text.js'
import { type GuardOptions, guardedCall } from './guarded-call.js'

/** The parts of a request of `wrapToolCall` that are read; said here, so that single tools need no `langchain`. */
interface ToolCallRequest {
  readonly toolCall: { readonly name: string; readonly args: Record<string, unknown>; readonly id?: string | undefined }
  readonly runtime: { readonly signal?: AbortSignal | undefined }
}

/**
 * A `wrapToolCall` for `createMiddleware`: guards every tool of the agent, those that other middleware brings
 * included.
 */
export function guardToolCalls(engine: Engine, options?: Omit<GuardOptions, 'action'>) {
  return async <R extends ToolCallRequest, O>(
    request: R,
    handler: (request: R) => O | PromiseLike<O>,
  ): Promise<Awaited<O> | ToolMessage> => {
    const { name: tool, args: input, id: callId } = request.toolCall
    const run = (args: Record<string, unknown>) => handler({ ...request, toolCall: { ...request.toolCall, args } })
    const call = { tool, input, callId, signal: request.runtime.signal }
    const ended = await guardedCall(engine, call, options, run, reportsError)
    return ended.status === 'denied' ? deniedMessage(ended, tool, callId ?? '') : ended.output
  }
}

interface RunConfig {
  readonly toolCall?: { readonly id?: string }
  readonly signal?: AbortSignal
}
type Call = (input: unknown, runManager: unknown, config?: RunConfig) => Promise<unknown>

/** The parts of a `StructuredTool` that are read. Its work is in `_call`, which its type does not show. */
interface StructuredToolLike {
  readonly name: string
  // biome-ignore lint/suspicious/noExplicitAny: "any tool": parameters are contravariant, so `unknown` would accept none
  invoke(input: any, config?: any): unknown
}

/** Guards every tool of a list. @throws TypeError for what is not a `StructuredTool` */
export function guardTools<T extends readonly StructuredToolLike[]>(
  engine: Engine,
  tools: readonly [...T],
  options?: Omit<GuardOptions, 'action'>,
): [...T] {
  return tools.map((tool) => guardTool(engine, tool, options)) as [...T]
}

/**
 * Guards one tool; the tool itself stays as it is. Called without a call id, by a program, it gives a denial as text.
 *
 * @throws TypeError for what is not a `StructuredTool`: a runnable would do its work without `_call`
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
    const call = { tool: name, input, callId, signal: config?.signal }
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

/** The result of a generator is its return value: it has to end before its outcome is known. */
async function resultOf(output: unknown): Promise<unknown> {
  if (Object.prototype.toString.call(output) !== '[object AsyncGenerator]') return output
  let step: IteratorResult<unknown>
  do step = await (output as AsyncGenerator).next()
  while (!step.done)
  return step.value
}
