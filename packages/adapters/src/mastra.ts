/**
 * Mastra, 1 and 0.24: tools, guarded.
 *
 * @example
 * const tools = guardTools(engine, { refund: createTool({ id: 'refund', description, inputSchema, execute: async ({ amount }) => … }) })
 * const refund = guardToolV0(engine, createTool({ id: 'refund', description, inputSchema, execute: async ({ context }) => … })) // 0.24
 *
 * The action is the tool's `id`; the input, as the agent parsed it with the tool's schema, is the call's named
 * arguments. Mastra parses it again in the tool, after the decision, so a schema that changes what it has parsed does
 * not work in its agents. A program that calls `execute` itself hands over the input that is decided on. In version 1
 * a denial is thrown as `ToolDenied`, whose message the model is shown as the tool's error. Version 0.24 would show
 * that as an error object with its own internals, so there it is returned as the tool's output. `requireApproval` and
 * `hooks.beforeToolCall` ask before `execute`, which is the boundary. `onInputStart`, `onInputDelta` and
 * `onInputAvailable` would get the model's input before the decision: the guarded tool does not have them.
 */
import type { Engine } from '@sudoagent/core'
import { denialText, ToolDenied } from './denial-text.js'
import { type GuardOptions, guardedCall } from './guarded-call.js'

// Nothing is imported from `@mastra/core`: these are the parts of its tools, so that the types of both versions fit.
interface MastraTool {
  readonly id: string
  // biome-ignore lint/suspicious/noExplicitAny: "any tool": parameters are contravariant, so `unknown` would accept none
  execute?: ((input: any, context: any) => unknown) | undefined
}

/** The parts of version 1's execution context that are read. */
interface ExecutionContext {
  readonly abortSignal?: AbortSignal | undefined
  readonly toolCallId?: string | undefined
  readonly agent?: { readonly toolCallId?: string | undefined } | undefined
}

/** Guards every tool of a set of version 1. @throws TypeError for a tool without `execute` */
export function guardTools<T extends Record<string, MastraTool>>(
  engine: Engine,
  tools: T,
  options?: Omit<GuardOptions, 'action'>,
): T {
  const guarded = Object.entries(tools).map(([name, tool]) => [name, guardTool(engine, tool, options)])
  return Object.fromEntries(guarded) as T
}

/** Guards one tool of version 1; the tool itself stays as it is. @throws TypeError for a tool without `execute` */
export function guardTool<T extends MastraTool>(engine: Engine, tool: T, options?: GuardOptions): T {
  const run = executeOf(tool)
  const execute = async (input: unknown, context?: ExecutionContext): Promise<unknown> => {
    const callId = context?.agent?.toolCallId ?? context?.toolCallId
    const call = { tool: tool.id, input, callId, signal: context?.abortSignal }
    const ended = await guardedCall(engine, call, options, (decided) => run(decided, context), isInvalid)
    if (ended.status === 'denied') throw new ToolDenied(ended)
    return ended.output
  }
  return copyWith(tool, execute)
}

/** The parts of version 0.24's invocation options that are read. */
interface InvocationOptions {
  readonly abortSignal?: AbortSignal | undefined
  readonly toolCallId?: string | undefined
}

/** Guards one tool of version 0.24. A denial is the tool's output. @throws TypeError for a tool without `execute` */
export function guardToolV0<T extends MastraTool>(engine: Engine, tool: T, options?: GuardOptions): T {
  const run = executeOf(tool)
  const execute = async (context: { readonly context: unknown }, how?: InvocationOptions): Promise<unknown> => {
    const call = { tool: tool.id, input: context.context, callId: how?.toolCallId, signal: how?.abortSignal }
    const decidedOn = (decided: unknown) => run({ ...context, context: decided }, how)
    const ended = await guardedCall(engine, call, options, decidedOn, isInvalid)
    // The agent shows the model any output as it is; a program that calls the tool itself gets this text in place of
    // the output.
    return ended.status === 'ran' ? ended.output : denialText(ended)
  }
  return copyWith(tool, execute)
}

function executeOf(tool: MastraTool): (input: unknown, context: unknown) => unknown {
  const { id, execute } = tool
  if (typeof id !== 'string' || id === '') throw new TypeError('the tool needs an `id`')
  if (typeof execute !== 'function') throw new TypeError(`tool \`${id}\` has no \`execute\` to guard`)
  return execute.bind(tool)
}

/** Functions of a tool that Mastra calls with the model's input before `execute`, so before anything was decided. */
const BEFORE_EXECUTE = ['onInputStart', 'onInputDelta', 'onInputAvailable']

/** The same kind of tool with another `execute`: Mastra asks tools for their class, and copies their own properties. */
function copyWith<T extends MastraTool>(tool: T, execute: unknown): T {
  const properties = Object.getOwnPropertyDescriptors(tool) as PropertyDescriptorMap
  for (const name of BEFORE_EXECUTE) delete properties[name]
  properties.execute = { value: execute, writable: true, enumerable: true, configurable: true }
  return Object.create(Object.getPrototypeOf(tool), properties) as T
}

/** Whether an output says that the input did not fit the tool's schema: the tool did not run. */
function isInvalid(output: unknown): boolean {
  return (
    typeof output === 'object' &&
    output !== null &&
    'validationErrors' in output &&
    'error' in output &&
    output.error === true
  )
}
