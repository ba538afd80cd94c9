/**
 * Vercel AI SDK 6 and 7: guards the `execute` function of tools.
 *
 * @example
 * const tools = guardTools(engine, { refund: tool({ inputSchema, execute: async ({ amount }) => … }) })
 * await generateText({ model, tools, prompt })
 *
 * The action is the tool's name in the set; the input, as the schema parsed it, becomes the call's named arguments. A
 * denial is thrown as `ToolDenied`: the SDK converts it to a tool error, shows the message to the model, and continues
 * the other calls of the step. `needsApproval` and `toolApproval` run before `execute`, and their answers may come from
 * a stored conversation, so only `execute` is a security boundary. A tool without `execute` runs in the client or at
 * the provider; it cannot be guarded here and is rejected. The guarded tool omits `onInputStart`, `onInputDelta` and
 * `onInputAvailable`, because they would receive the model's input before the decision. The authority of a call comes
 * from `experimental_context.sudoagent`; in version 7, from `toolsContext.<tool>.sudoagent`.
 */
import type { Engine } from '@sudoagent/core'
import { ToolDenied } from './denial-text.js'
import {
  authorityIn,
  authorizeCall,
  type GuardOptions,
  guardedCall,
  type NamedGuardOptions,
  requireAction,
  withExecute,
} from './guarded-call.js'

// This file imports nothing from `ai`. It declares the members that tools of versions 6 and 7 share, so both types are
// accepted.
interface ExecuteOptions {
  readonly toolCallId: string
  readonly abortSignal?: AbortSignal | undefined
  /** Version 6. */
  readonly experimental_context?: unknown
  /** Version 7: the member of `toolsContext` for this tool. */
  readonly context?: unknown
}
interface ExecutableTool {
  // biome-ignore lint/suspicious/noExplicitAny: "any tool": parameters are contravariant, so `unknown` would accept none
  execute?: ((input: any, options: any) => unknown) | undefined
}

/**
 * Guards every tool in a set. The key of a tool in the set is its name.
 *
 * @throws TypeError for a tool without `execute`
 */
export function guardTools<T extends Record<string, ExecutableTool>>(
  engine: Engine,
  tools: T,
  options?: Omit<GuardOptions, 'action'>,
): T {
  const guarded = Object.entries(tools).map(([name, tool]) => [name, guardNamed(engine, name, tool, options)])
  return Object.fromEntries(guarded) as T
}

/**
 * Guards one tool. An AI SDK tool does not contain its own name, so the options must name the action. @throws TypeError
 * for a tool without `execute`
 */
export function guardTool<T extends ExecutableTool>(engine: Engine, tool: T, options: NamedGuardOptions): T {
  return guardNamed(engine, requireAction(options), tool, options)
}

function guardNamed<T extends ExecutableTool>(engine: Engine, name: string, tool: T, options?: GuardOptions): T {
  const { execute } = tool
  if (typeof execute !== 'function') throw new TypeError(`tool \`${name}\` has no \`execute\` to guard`)
  const run = execute.bind(tool)
  const callOf = (input: unknown, { toolCallId: callId, abortSignal: signal, ...how }: ExecuteOptions) => ({
    tool: name,
    input,
    callId,
    signal,
    authority: authorityIn(how.experimental_context) ?? authorityIn(how.context),
  })

  async function guarded(input: unknown, how: ExecuteOptions): Promise<unknown> {
    const ended = await guardedCall(engine, callOf(input, how), options, async (decided) =>
      lastOf(await run(decided, how)),
    )
    if (ended.status === 'denied') throw new ToolDenied(ended)
    return ended.output
  }

  /** Guards a generator function. Each step is passed on to the stream. */
  async function* guardedSteps(input: unknown, how: ExecuteOptions): AsyncGenerator<unknown> {
    const call = await authorizeCall(engine, callOf(input, how), options)
    if (call.status === 'denied') throw new ToolDenied(call)
    let outcome: Parameters<typeof call.end>[0] = {
      status: 'error',
      error: new Error('the output was not read to the end'),
    }
    try {
      call.signal?.throwIfAborted()
      yield* run(call.input, how) as AsyncIterable<unknown>
      outcome = { status: 'success' }
    } catch (error) {
      outcome = { status: 'error', error }
      throw error
    } finally {
      await call.end(outcome)
    }
  }

  return withExecute(tool, execute.constructor.name === 'AsyncGeneratorFunction' ? guardedSteps : guarded)
}

/** Reads an async iterable and returns its last value, which is the tool's result. */
async function lastOf(output: unknown): Promise<unknown> {
  if (typeof output !== 'object' || output === null || !(Symbol.asyncIterator in output)) return output
  let last: unknown
  for await (const step of output as AsyncIterable<unknown>) last = step
  return last
}
