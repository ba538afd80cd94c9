// Runs both major versions in one program: their interfaces are the same for everything used here.

import { guardTools } from '@sudoagent/adapters/ai'
import * as ai6 from 'ai'
import * as mocks6 from 'ai/test'
import * as ai7 from 'ai-v7'
import * as mocks7 from 'ai-v7/test'
import { z } from 'zod'
import type { Framework } from '../scenario.js'

const usage = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 1, text: 1, reasoning: 0 },
}

const frameworkOf = (name: string, sdk: typeof ai6, mocks: typeof mocks6): Framework => ({
  name,
  handsSignal: true,
  passes: 'authority',
  callId: 'call_0',
  async run({ engine, refund, calls, signal, context, options }) {
    const model = new mocks.MockLanguageModelV3({
      doGenerate: async ({ prompt }) => {
        const asked = prompt.some(({ role }) => role === 'tool')
        const content = asked
          ? [{ type: 'text' as const, text: 'done' }]
          : calls.map((input, index) => ({
              type: 'tool-call' as const,
              toolCallId: `call_${index}`,
              toolName: 'refund',
              input: JSON.stringify(input),
            }))
        const finishReason = { unified: asked ? ('stop' as const) : ('tool-calls' as const), raw: undefined }
        return { content, finishReason, usage, warnings: [] }
      },
    })
    const tools = guardTools(
      engine,
      {
        refund: sdk.tool({
          description: 'Pays money back',
          inputSchema: z.object({ amount: z.number() }),
          execute: (input, { abortSignal }) => refund(input, abortSignal),
        }),
      },
      options,
    )
    const stopWhen = sdk.stepCountIs(2)
    // Version 6 reads the first of these, version 7 the second.
    const contexts = context && { experimental_context: context, toolsContext: { refund: context } }
    await sdk.generateText({
      model,
      tools,
      prompt: 'refund',
      stopWhen,
      abortSignal: signal,
      maxRetries: 0,
      ...contexts,
    })
    const messages = model.doGenerateCalls[1]?.prompt.flatMap(({ role, content }) => (role === 'tool' ? content : []))
    return (messages ?? []).map((part) => (part.type === 'tool-result' ? part.output : part))
  },
})

export const aiSdk6 = frameworkOf('Vercel AI SDK 6', ai6, mocks6)
export const aiSdk7 = frameworkOf('Vercel AI SDK 7', ai7 as unknown as typeof ai6, mocks7 as unknown as typeof mocks6)
