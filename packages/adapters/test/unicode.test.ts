// Tests every adapter that loads without its framework. `compat/` has the test for LangChain.
import * as ai from '../src/ai.js'
import * as claude from '../src/claude-agent-sdk.js'
import * as genkit from '../src/genkit.js'
import * as llamaindex from '../src/llamaindex.js'
import * as mastra from '../src/mastra.js'
import * as mcpServer from '../src/mcp-server.js'
import * as openai from '../src/openai-agents.js'
import { type Call, testUnicode } from './unicode.js'

const signal = new AbortController().signal
const how = { toolCallId: 'c', requestId: 'c', abortSignal: signal, signal, messages: [] }

const ADAPTERS: readonly (readonly [name: string, call: Call])[] = [
  [
    'ai',
    async (engine, input, tool) =>
      ai
        .guardTool(engine, { execute: (given: unknown, _: object) => tool(given) }, { action: 't' })
        .execute(input, how),
  ],
  [
    'ai, a generator',
    async (engine, input, tool) => {
      const steps = {
        async *execute(given: unknown, _: object) {
          yield tool(given)
        },
      }
      for await (const _ of ai.guardTool(engine, steps, { action: 't' }).execute(input, how));
    },
  ],
  [
    'claude-agent-sdk',
    async (engine, input, tool) => {
      const [matcher] = claude.guardToolCalls(engine).hooks.PreToolUse
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
    'llamaindex',
    async (engine, input, tool) =>
      llamaindex.guardTool(engine, { name: 't', parameters: {}, execute: tool }).execute(input),
  ],
  ['mastra', async (engine, input, tool) => mastra.guardTool(engine, { id: 't', execute: tool }).execute(input)],
  [
    'mastra 0.24',
    async (engine, input, tool) =>
      mastra
        .guardToolV0(engine, { id: 't', execute: ({ context }: { context: unknown }) => tool(context) })
        .execute({ context: input }),
  ],
  [
    'mcp-server',
    async (engine, input, tool) =>
      mcpServer.guardTool(engine, (given: unknown, _: object) => ({ content: [{ type: 'text', text: tool(given) }] }), {
        action: 't',
      })(input, how),
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
      await openai.guardTool(engine, { name: 't', parameters: {}, execute: tool }).execute(input)
    },
  ],
]

for (const [name, call] of ADAPTERS) testUnicode(name, call)
