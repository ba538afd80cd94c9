// Mastra: guards the tools of an agent in one line.
import { Agent } from '@mastra/core/agent'
import { Mastra } from '@mastra/core/mastra'
import { createTool } from '@mastra/core/tools'
import { guardTool } from '@sudoagent/adapters/mastra'
import { MockLanguageModelV3 } from 'ai/test'
import { CALLS, check, engine, payBack, refundSchema } from './refunds.js'

// The examples run without a network.
process.env.MASTRA_TELEMETRY_DISABLED = '1'

const refund = createTool(
  guardTool(engine, {
    id: 'refund',
    description: 'Pays money back',
    inputSchema: refundSchema,
    execute: payBack,
  }),
)
const tools = { refund }

const asks = CALLS.map((input, index) => ({
  type: 'tool-call' as const,
  toolCallId: `call_${index}`,
  toolName: 'refund',
  input: JSON.stringify(input),
}))
const rest = {
  usage: {
    inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
    outputTokens: { total: 1, text: 1, reasoning: 0 },
  },
  warnings: [],
}
const model = new MockLanguageModelV3({
  doGenerate: [
    { ...rest, content: asks, finishReason: { unified: 'tool-calls', raw: undefined } },
    { ...rest, content: [{ type: 'text', text: 'done' }], finishReason: { unified: 'stop', raw: undefined } },
  ],
})
const agent = new Agent({ id: 'support', name: 'support', instructions: 'Help', model, tools })
new Mastra({ agents: { agent }, logger: false })
await agent.generate('Refund orders 1 and 2', { maxSteps: 2 })

const results = model.doGenerateCalls[1]?.prompt.flatMap(({ role, content }) => (role === 'tool' ? content : [])) ?? []
await check(results.map((part) => (part.type === 'tool-result' ? part.output : part)))
