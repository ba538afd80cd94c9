// Tests generator tools with every adapter that runs them: a generator does its work while its output is read, and
// can fail midway.
import { tool as langchainTool } from '@langchain/core/tools'
import { guardTool as ai } from '@sudoagent/adapters/ai'
import { guardToolCalls as genkit } from '@sudoagent/adapters/genkit'
import { guardTool as langchain } from '@sudoagent/adapters/langchain'
import { guardTool as llamaindex } from '@sudoagent/adapters/llamaindex'
import { guardTool as mastra, guardToolV0 as mastraV0 } from '@sudoagent/adapters/mastra'
import { guardTool as mcp, guardToolCalls as mcpAll } from '@sudoagent/adapters/mcp-server'
import { guardTool as openai } from '@sudoagent/adapters/openai-agents'
import { AllowAllPolicy, SudoEngine } from '@sudoagent/core'
import { MemoryLedger } from '@sudoagent/ledger/memory'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { entriesOf } from '../../packages/adapters/test/entries.js'

const signal = new AbortController().signal
const input = { amount: 5 }
// biome-ignore lint/suspicious/noExplicitAny: tools of seven frameworks, none of whose types says that a tool may be a generator
type Any = any
type Tool = (input: Any) => Any

/** Calls a tool once, as its framework does. */
const ADAPTERS: readonly (readonly [string, (engine: SudoEngine, fn: Tool) => Promise<Any>])[] = [
  [
    'ai',
    (engine, fn) =>
      (ai(engine, { execute: (i: Any) => fn(i) }, { action: 'pay' }) as Any).execute(input, { toolCallId: 'c' }),
  ],
  [
    'genkit',
    (engine, fn) => {
      const part: Any = { toolRequest: { name: 'pay', input } }
      const next: Any = async ({ toolRequest }: Any) => ({
        toolResponse: { name: 'pay', output: fn(toolRequest.input) },
      })
      return genkit(engine)()
        .tool(part, {}, next)
        .then((response) => response?.toolResponse.output)
    },
  ],
  [
    'langchain',
    (engine, fn) =>
      langchain(
        engine,
        langchainTool(fn, { name: 'pay', description: 'pays', schema: z.object({ amount: z.number() }) }),
      ).invoke(input),
  ],
  [
    'llamaindex',
    (engine, fn) => llamaindex(engine, { name: 'pay', parameters: {}, execute: fn as Any }).execute(input),
  ],
  ['mastra', (engine, fn) => mastra(engine, { id: 'pay', execute: (i: Any) => fn(i) }).execute(input)],
  [
    'mastra 0.24',
    (engine, fn) =>
      mastraV0(engine, { id: 'pay', execute: ({ context }: Any) => fn(context) }).execute({ context: input }),
  ],
  [
    'mcp-server',
    (engine, fn) => mcp(engine, fn as (...args: Any[]) => Any, { action: 'pay' })(input, { signal, requestId: 1 }),
  ],
  [
    'mcp-server, all tools',
    (engine, fn) =>
      mcpAll(engine, ({ params }: Any) => fn(params.arguments))(
        { method: 'tools/call', params: { name: 'pay', arguments: input } },
        { signal, requestId: 1 },
      ),
  ],
  [
    'openai-agents',
    (engine, fn) => {
      const guarded: Any = openai(engine, {
        name: 'pay',
        description: 'pays',
        parameters: z.object({ amount: z.number() }),
        execute: fn,
      })
      return guarded.execute(input)
    },
  ],
]

function world() {
  const ledger = new MemoryLedger()
  const engine = new SudoEngine({ policy: new AllowAllPolicy(), agentId: 'bot', ledger })
  const outcomes = async () =>
    (await entriesOf(ledger)).filter(({ event }) => event === 'outcome').map(({ outcome }) => outcome?.status)
  return { engine, outcomes }
}

describe.each(ADAPTERS)('%s', (_, call) => {
  const result = { content: [{ type: 'text', text: 'paid' }] }

  it.each<[string, () => Tool]>([
    [
      'an async generator',
      () =>
        async function* () {
          yield 'first'
          throw new Error('half-way')
        },
    ],
    [
      'a sync generator',
      () =>
        function* () {
          yield 'first'
          throw new Error('half-way')
        },
    ],
    [
      'a promise of a generator',
      () => async () =>
        (function* () {
          yield 1
          throw new Error('half-way')
        })(),
    ],
    [
      'an iterator',
      () => () => ({
        next: () => {
          throw new Error('half-way')
        },
        [Symbol.asyncIterator]() {
          return this
        },
      }),
    ],
  ])('%s that fails half-way is an error on record', async (_name, make) => {
    const { engine, outcomes } = world()
    await expect(call(engine, make())).rejects.toThrow('half-way')
    expect(await outcomes()).toEqual(['error'])
  })

  it('a generator runs to its end, and its last step is the result', async () => {
    const { engine, outcomes } = world()
    let ended = false
    const steps = async function* () {
      yield 'first'
      ended = true
      yield result
    }
    const got = await call(engine, steps)
    expect(ended).toBe(true)
    // LangChain uses a generator's return value, and this generator returns nothing.
    if (got !== undefined) expect(got).toEqual(result)
    expect(await outcomes()).toEqual(['success'])
  })
})

it('a stream that a tool returns is on record when it has been read', async () => {
  const { engine, outcomes } = world()
  const stream: ReadableStream<string> = await llamaindex(engine, {
    name: 'pay',
    parameters: {},
    execute: (_: unknown): Any => new Response('abc').body,
  }).execute(input)
  expect(await outcomes()).toEqual([])
  expect(await new Response(stream as Any).text()).toBe('abc')
  expect(await outcomes()).toEqual(['success'])
})

it('an endless generator ends with the signal', async () => {
  const { engine, outcomes } = world()
  const stop = new AbortController()
  let steps = 0
  const endless = function* () {
    for (;;) {
      steps += 1
      if (steps === 3) stop.abort(new Error('enough'))
      yield steps
    }
  }
  const tool = { name: 'pay', parameters: {}, execute: endless as Any }
  await expect(llamaindex(engine, tool, { signal: stop.signal }).execute(input)).rejects.toThrow('enough')
  expect(steps).toBe(3)
  expect(await outcomes()).toEqual(['error'])
})
