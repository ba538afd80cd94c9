// Vercel AI SDK: guards a set of tools in one line. Replace the SDK's mock model with a real one.
import { guardTools } from '@sudoagent/adapters/ai'
import { generateText, stepCountIs, tool } from 'ai'
import { MockLanguageModelV3 } from 'ai/test'
import { CALLS, check, engine, payBack, refundSchema } from './refunds.js'

const tools = guardTools(engine, {
  refund: tool({ description: 'Pays money back', inputSchema: refundSchema, execute: payBack }),
})

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
await generateText({ model, tools, prompt: 'Refund orders 1 and 2', stopWhen: stepCountIs(2) })

const results = model.doGenerateCalls[1]?.prompt.flatMap(({ role, content }) => (role === 'tool' ? content : [])) ?? []
await check(results.map((part) => (part.type === 'tool-result' ? part.output : part)))
