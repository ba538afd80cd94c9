/**
 * MCP servers built on version 1.x of the official SDK: guards the tool handlers inside the server. For third-party
 * servers, or agents in other languages, use the MCP guard.
 *
 * @example
 * const callback = guardTool(engine, async ({ amount }) => …, { action: 'refund' })
 * server.registerTool('refund', { inputSchema: { amount: z.number() } }, callback)
 *
 * lowLevelServer.setRequestHandler(CallToolRequestSchema, guardToolCalls(engine, async (request) => …))
 *
 * The action is the tool's name; its arguments, without `_meta`, become the call's named arguments. A denial is a
 * result with `isError`, because a protocol error does not reach the model. A cancellation by the client aborts the
 * signal. The client's `_meta.traceparent` is recorded as the call's `trace`.
 */

import type { CallToolRequest, CallToolResult } from '@modelcontextprotocol/sdk/types.js'
import type { Engine } from '@sudoagent/core'
import { traceIn } from '@sudoagent/core/boundary'
import { denialText } from './denial-text.js'
import { type GuardOptions, guardedCall, type NamedGuardOptions, requireAction } from './guarded-call.js'

/** The members of the SDK's `RequestHandlerExtra` that this file reads. */
interface Extra {
  readonly signal: AbortSignal
  readonly requestId: string | number
  readonly _meta?: { readonly [name: string]: unknown } | undefined
}

/** The callback of `registerTool`: `(args, extra)`, or `(extra)` for a tool without an input schema. */
// biome-ignore lint/suspicious/noExplicitAny: "any callback": parameters are contravariant, so `unknown` would accept none
type ToolCallback = (...args: any[]) => CallToolResult | Promise<CallToolResult>

/**
 * Guards the callback of one tool. The option `action` names the tool.
 *
 * @throws TypeError if the callback is not a function, such as the handler of a task-based tool
 */
export function guardTool<F extends ToolCallback>(engine: Engine, callback: F, options: NamedGuardOptions): F {
  const name = requireAction(options)
  if (typeof callback !== 'function') throw new TypeError(`the callback of tool \`${name}\` is not a function`)
  const guarded = (...given: unknown[]): Promise<CallToolResult> => {
    const extra = given.at(-1) as Extra
    const call = { tool: name, input: given.length > 1 ? given[0] : {}, ...factsOf(extra) }
    return guard(engine, call, options, (decided) => (given.length > 1 ? callback(decided, extra) : callback(extra)))
  }
  // The cast is correct: `guarded` has the parameters and the result of the callback.
  return guarded as F
}

/** Guards the `tools/call` handler of a low-level `Server`. One handler serves all tools of the server. */
export function guardToolCalls<R extends CallToolRequest, E extends Extra, T extends CallToolResult>(
  engine: Engine,
  handler: (request: R, extra: E) => T | Promise<T>,
  options?: Omit<GuardOptions, 'action'>,
): (request: R, extra: E) => Promise<T | CallToolResult> {
  return (request, extra) => {
    const { name, arguments: input = {} } = request.params
    const run = (decided: unknown) => handler({ ...request, params: { ...request.params, arguments: decided } }, extra)
    return guard(engine, { tool: name, input, ...factsOf(extra) }, options, run)
  }
}

const factsOf = ({ requestId, signal, _meta: meta }: Extra) => ({
  callId: String(requestId),
  signal,
  authority: traceIn(meta),
})

async function guard<T extends CallToolResult>(
  engine: Engine,
  call: Parameters<typeof guardedCall<unknown, T>>[1],
  options: GuardOptions | undefined,
  run: (decided: unknown) => T | Promise<T>,
): Promise<T | CallToolResult> {
  const ended = await guardedCall(engine, call, options, run, ({ isError }) => isError === true)
  if (ended.status === 'ran') return ended.output
  return { content: [{ type: 'text', text: denialText(ended) }], isError: true }
}
