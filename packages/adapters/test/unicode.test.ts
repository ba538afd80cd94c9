// One text for all, in every adapter: the tool gets the characters that were decided on, or it does not run.
import { AllowAllPolicy, SudoEngine } from '@sudoagent/core'
import { MemoryLedger } from '@sudoagent/ledger/memory'
import { describe, expect, it } from 'vitest'
import * as ai from '../src/ai.js'
import * as claude from '../src/claude-agent-sdk.js'
import * as genkit from '../src/genkit.js'
import * as langchain from '../src/langchain.js'
import * as llamaindex from '../src/llamaindex.js'
import * as mastra from '../src/mastra.js'
import * as mcpServer from '../src/mcp-server.js'
import * as openai from '../src/openai-agents.js'
import { entriesOf } from './scenario.js'

type Input = Record<string, unknown>
/** Calls a guarded tool with an input, as the framework would, and hands what it runs with to `tool`. */
type Call = (engine: SudoEngine, input: Input, tool: (input: unknown) => string) => Promise<unknown>

const signal = new AbortController().signal
const how = { toolCallId: 'c', requestId: 'c', abortSignal: signal, signal, messages: [] }

const ADAPTERS: readonly (readonly [name: string, call: Call])[] = [
  [
    'ai',
    async (engine, input, tool) =>
      ai.guardTool(engine, 't', { execute: (given: unknown, _: object) => tool(given) }).execute(input, how),
  ],
  [
    'ai, a generator',
    async (engine, input, tool) => {
      const steps = ai.guardTool(engine, 't', {
        async *execute(given: unknown, _: object) {
          yield tool(given)
        },
      })
      for await (const _ of steps.execute(input, how) as AsyncIterable<unknown>);
    },
  ],
  [
    'claude-agent-sdk',
    async (engine, input, tool) => {
      const [matcher] = claude.guardToolCalls(engine).hooks.PreToolUse ?? []
      const event = { hook_event_name: 'PreToolUse', tool_name: 't', tool_input: input, tool_use_id: 'c' }
      const answer = await matcher?.hooks[0]?.(event as never, 'c', { signal })
      const output = (answer as { hookSpecificOutput: { permissionDecision: string; updatedInput: unknown } })
        .hookSpecificOutput
      if (output.permissionDecision === 'allow') tool(output.updatedInput)
    },
  ],
  [
    'claude-agent-sdk, canUseTool',
    async (engine, input, tool) => {
      const answer = await claude.guardToolCalls(engine).canUseTool('t', input, { signal, toolUseID: 'c' } as never)
      if (answer?.behavior === 'allow') tool(answer.updatedInput)
    },
  ],
  [
    'genkit',
    async (engine, input, tool) =>
      genkit
        .guardToolCalls(engine)()
        .tool({ toolRequest: { name: 't', input } }, how, async (part) => {
          tool(part.toolRequest.input)
          return undefined
        }),
  ],
  [
    'langchain',
    async (engine, input, tool) =>
      langchain.guardToolCalls(engine)(
        { toolCall: { name: 't', args: input, id: 'c' }, runtime: { signal } },
        (request) => tool(request.toolCall.args),
      ),
  ],
  ['llamaindex', async (engine, input, tool) => llamaindex.guardTool(engine, 't', tool)(input)],
  ['mastra', async (engine, input, tool) => mastra.guardTool(engine, 't', tool)(input, {})],
  [
    'mastra 0.24',
    async (engine, input, tool) =>
      mastra.guardToolV0(engine, 't', ({ context }: { context: unknown }) => tool(context))({ context: input }),
  ],
  [
    'mcp-server',
    async (engine, input, tool) =>
      mcpServer.guardTool(engine, 't', (given: unknown, _: object) => ({
        content: [{ type: 'text', text: tool(given) }],
      }))(input, how),
  ],
  [
    'mcp-server, low level',
    async (engine, input, tool) =>
      mcpServer.guardToolCalls(engine, ({ params }) => ({ content: [{ type: 'text', text: tool(params.arguments) }] }))(
        { method: 'tools/call', params: { name: 't', arguments: input } },
        how,
      ),
  ],
  [
    'openai-agents',
    async (engine, input, tool) => {
      const options = { name: 't', description: 't', parameters: {} as never, execute: tool }
      const guarded = openai.guardTool(engine, options as never) as unknown as { execute: (input: unknown) => unknown }
      await guarded.execute(input)
    },
  ],
]

const GIVEN: readonly (readonly [given: Input, normal: Input])[] = [
  [{ account: '\u212a-1' }, { account: 'K-1' }],
  [{ deep: [{ 'cafe\u0301': ['\u2126'] }] }, { deep: [{ 'caf\u00e9': ['\u03a9'] }] }],
]

describe.each(ADAPTERS)('%s', (_, call) => {
  async function run(unicode: 'refuse' | 'normalize', input: Input) {
    const ledger = new MemoryLedger()
    const engine = new SudoEngine({ policy: new AllowAllPolicy(), agentId: 'bot', ledger, unicode })
    const ran: unknown[] = []
    await call(engine, input, (given) => `${ran.push(given)}`).catch(() => {})
    return { ran, decisions: (await entriesOf(ledger)).filter(({ event }) => event === 'decision') }
  }

  it.each(GIVEN)('refuses %j, on record', async (given, normal) => {
    const refused = await run('refuse', given)
    expect(refused.ran).toEqual([])
    expect(refused.decisions).toMatchObject([{ decision: { effect: 'deny', reason_code: 'PARAMETERS_INVALID' } }])
    expect((await run('refuse', normal)).ran).toEqual([normal])
  })

  it.each(GIVEN)('with `normalize` hands on the copy that is recorded: %j', async (given, normal) => {
    const { ran, decisions } = await run('normalize', given)
    expect(ran).toEqual([normal])
    expect(decisions).toMatchObject([{ parameters: { kwargs: normal } }])
  })
})
