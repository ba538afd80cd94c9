// LangChain.js: one middleware guards every tool of an agent.
import { AIMessage, ToolMessage } from '@langchain/core/messages'
import { guardToolCalls } from '@sudoagent/adapters/langchain'
import { createAgent, createMiddleware, fakeModel, tool } from 'langchain'
import { CALLS, check, engine, payBack, refundSchema } from './refunds.js'

const refund = tool(payBack, { name: 'refund', description: 'Pays money back', schema: refundSchema })
const model = fakeModel()
  .respondWithTools(CALLS.map((args, index) => ({ name: 'refund', args: { ...args }, id: `call_${index}` })))
  .respond(new AIMessage('done'))

const agent = createAgent({
  model,
  tools: [refund],
  middleware: [createMiddleware({ name: 'sudoagent', wrapToolCall: guardToolCalls(engine) })],
})
await agent.invoke({ messages: 'Refund orders 1 and 2' })

const results = model.calls[1]?.messages.filter((message) => ToolMessage.isInstance(message)) ?? []
await check(results.map(({ content, status }) => ({ content, status })))
