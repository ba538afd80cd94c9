/**
 * LlamaIndex.TS: tools, guarded.
 *
 * @example
 * const refund = guardTool(engine, tool({ name: 'refund', description, parameters: z.object({ amount: z.number() }), execute: ({ amount }) => … }))
 * await agent({ llm, tools: [refund] }).run(prompt)
 *
 * The action is the tool's name; the input, as the model wrote it, is the call's named arguments: the tool's schema
 * parses it after the decision. A denial is thrown as `ToolDenied`: the agent makes it a tool result with `isError`,
 * whose message the model is shown, and goes on with the other calls. LlamaIndex hands a tool neither an abort signal
 * nor the id of the call: to end a wait for an approval, put a `signal` into the options.
 */
import type { Engine } from '@sudoagent/core'
import { ToolDenied } from './denial-text.js'
import { type GuardOptions, guardedCall } from './guarded-call.js'

// Nothing is imported from `@llamaindex/core`: these are the parts of its tools that are read.
interface LlamaTool {
  readonly metadata: { readonly name: string }
  // biome-ignore lint/suspicious/noExplicitAny: "any tool": parameters are contravariant, so `unknown` would accept none
  call?: ((input: any) => unknown) | undefined
}
interface Bindable {
  bind(additionalArg: unknown): LlamaTool
}

/** Guards every tool of a list. @throws TypeError for what is not a tool that can be called */
export function guardTools<T extends readonly LlamaTool[]>(
  engine: Engine,
  tools: readonly [...T],
  options?: Omit<GuardOptions, 'action'>,
): [...T] {
  return tools.map((tool) => guardTool(engine, tool, options)) as [...T]
}

/** Guards one tool; the tool itself stays as it is. @throws TypeError for what is not a tool that can be called */
export function guardTool<T extends LlamaTool>(engine: Engine, tool: T, options?: GuardOptions): T {
  const { metadata, call } = tool
  if (typeof metadata?.name !== 'string') throw new TypeError('a tool needs `metadata` with a `name`')
  const { name } = metadata
  if (typeof call !== 'function') throw new TypeError(`tool \`${name}\` has no \`call\` to guard`)
  const guarded = async (input: unknown): Promise<unknown> => {
    const ended = await guardedCall(engine, { tool: name, input }, options, (decided) => call.call(tool, decided))
    if (ended.status === 'denied') throw new ToolDenied(ended)
    return ended.output
  }
  const own = (value: unknown): PropertyDescriptor => ({ value, enumerable: true })
  const parts: PropertyDescriptorMap = { metadata: own(metadata), call: own(guarded) }
  // A tool with something bound to it is another tool: it has to be guarded, too.
  if (isBindable(tool)) parts.bind = own((bound: unknown) => guardTool(engine, tool.bind(bound), options))
  return Object.create(tool, parts) as T
}

const isBindable = (tool: object): tool is Bindable => 'bind' in tool && typeof tool.bind === 'function'
