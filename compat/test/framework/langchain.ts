import { AIMessage, ToolMessage } from '@langchain/core/messages'
import { guardTool, guardToolCalls } from '@sudoagent/adapters/langchain'
import { createAgent, createMiddleware, fakeModel, tool, toolErrorMiddleware } from 'langchain'
import { z } from 'zod'
import type { Framework, Turn } from '../scenario.js'

function refundTool({ refund }: Turn) {
  return tool((input, config) => refund(input, config.signal), {
    name: 'refund',
    description: 'Pays money back',
    schema: z.object({ amount: z.number() }),
  })
}

async function invoke(
  { calls, signal, context }: Turn,
  parts: Pick<Parameters<typeof createAgent>[0], 'tools' | 'middleware'>,
) {
  const model = fakeModel()
    .respondWithTools(calls.map((args, index) => ({ name: 'refund', args: { ...args }, id: `call_${index}` })))
    .respond(new AIMessage('done'))
  await createAgent({ model, ...parts }).invoke(
    { messages: 'refund' },
    { signal, ...(context && { configurable: context }) },
  )
  const messages = model.calls[1]?.messages ?? []
  return messages
    .filter((message) => ToolMessage.isInstance(message))
    .map(({ content, status }) => ({ role: 'tool', status, content }))
}

export const langchainAgent: Framework = {
  name: 'LangChain.js, an agent',
  handsSignal: true,
  passes: 'authority',
  callId: 'call_0',
  run: (turn) =>
    invoke(turn, {
      tools: [refundTool(turn)],
      middleware: [
        // With any middleware around tool calls, LangChain ends the run when a tool throws. This middleware reports
        // the error.
        toolErrorMiddleware({ onError: (error) => `failed: ${(error as Error).message}` }),
        createMiddleware({ name: 'sudoagent', wrapToolCall: guardToolCalls(turn.engine, turn.options) }),
      ],
    }),
}

export const langchainTool: Framework = {
  name: 'LangChain.js, a tool',
  handsSignal: true,
  passes: 'authority',
  callId: 'call_0',
  run: (turn) => invoke(turn, { tools: [guardTool(turn.engine, refundTool(turn), turn.options)] }),
}
