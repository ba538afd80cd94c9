import { guardToolCalls } from '@sudoagent/adapters/genkit'
import { generateMiddleware, genkit, z } from 'genkit'
import { logger } from 'genkit/logging'
import { mockModel } from 'genkit/testing'
import type { Framework } from '../scenario.js'

logger.setLogLevel('error')

export const genkitFramework: Framework = {
  name: 'Genkit',
  handsSignal: true,
  passes: 'authority',
  callId: 'call_0',
  endsWhenToolThrows: true,
  async run({ engine, refund, calls, signal, context, options }) {
    const ai = genkit({})
    const toolRequests = calls.map((input, index) => ({ name: 'refund', input, ref: `call_${index}` }))
    const model = mockModel(ai, { respond: [{ toolRequests }, 'done'] })
    const tool = ai.defineTool(
      { name: 'refund', description: 'Pays money back', inputSchema: z.object({ amount: z.number() }) },
      (input, { abortSignal }) => refund(input, abortSignal),
    )
    const guard = generateMiddleware(
      { name: 'sudoagent' },
      guardToolCalls(engine, { ...options }, () => ai.currentContext()),
    )
    await ai.generate({
      model,
      prompt: 'refund',
      tools: [tool],
      use: [guard()],
      abortSignal: signal,
      ...(context && { context }),
    })
    const parts = model.requests[1]?.messages.flatMap(({ content }) =>
      content.flatMap(({ toolResponse }) => toolResponse ?? []),
    )
    // The responses are sorted, because Genkit lists them in the order in which the calls ended.
    return (parts ?? [])
      .sort((a, b) => ((a.ref ?? '') < (b.ref ?? '') ? -1 : 1))
      .map(({ output }) => ({ toolResponse: { output } }))
  },
}
