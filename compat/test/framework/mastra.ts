import { Agent, type ToolsInput } from '@mastra/core/agent'
import { Mastra } from '@mastra/core/mastra'
import { RequestContext } from '@mastra/core/request-context'
import { createTool } from '@mastra/core/tools'
import { guardTool, guardToolV0 } from '@sudoagent/adapters/mastra'
import { MockLanguageModelV3 } from 'ai/test'
import { Agent as AgentV0 } from 'mastra-v0/agent'
import { Mastra as MastraV0 } from 'mastra-v0/mastra'
import { RuntimeContext } from 'mastra-v0/runtime-context'
import { createTool as createToolV0 } from 'mastra-v0/tools'
import { z } from 'zod'
import type { Framework } from '../scenario.js'

// Disables usage reports: tests run without a network.
process.env.MASTRA_TELEMETRY_DISABLED = '1'

const inputSchema = z.object({ amount: z.number() })
const description = 'Pays money back'

/** The model's answers: first the calls, then the final text. */
function answer(toolName: string, calls: readonly object[], asked: boolean) {
  const content = calls.map((input, index) => ({
    type: 'tool-call' as const,
    toolCallId: `call_${index}`,
    toolName,
    input: JSON.stringify(input),
  }))
  return { content: asked ? [{ type: 'text' as const, text: 'done' }] : content, warnings: [] }
}

type Prompt = readonly { readonly role: string; readonly content: unknown }[]
const wasAsked = (prompt: Prompt): boolean => prompt.some(({ role }) => role === 'tool')
const shownIn = (prompt: Prompt | undefined): readonly unknown[] =>
  (prompt ?? [])
    .flatMap(({ role, content }) => (role === 'tool' ? (content as { output: unknown }[]) : []))
    .map(({ output }) => output)

/** Runs an agent of version 1 whose model requests the calls and then finishes. @returns what the model saw */
export async function runAgent(
  tools: ToolsInput,
  toolName: string,
  calls: readonly object[],
  abortSignal?: AbortSignal,
  context?: object,
): Promise<readonly unknown[]> {
  const usage = {
    inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
    outputTokens: { total: 1, text: 1, reasoning: 0 },
  }
  const model = new MockLanguageModelV3({
    doGenerate: async ({ prompt }) => {
      const asked = wasAsked(prompt)
      const finishReason = { unified: asked ? ('stop' as const) : ('tool-calls' as const), raw: undefined }
      return { ...answer(toolName, calls, asked), usage, finishReason }
    },
  })
  const agent = new Agent({ id: 'support', name: 'support', instructions: 'Help', model, tools })
  new Mastra({ agents: { agent }, logger: false })
  await agent.generate('refund', {
    maxSteps: 2,
    ...(abortSignal === undefined ? {} : { abortSignal }),
    ...(context && { requestContext: new RequestContext(Object.entries(context)) }),
  })
  return shownIn(model.doGenerateCalls[1]?.prompt)
}

export const mastra: Framework = {
  name: 'Mastra 1',
  handsSignal: true,
  passes: 'authority',
  callId: 'call_0',
  async run({ engine, refund, calls, signal, context, options }) {
    const guarded = guardTool(
      engine,
      {
        id: 'refund',
        description,
        inputSchema,
        execute: (input, { abortSignal }) => refund(input, abortSignal),
      },
      options,
    )
    return runAgent({ refund: createTool(guarded) }, 'refund', calls, signal, context)
  },
}

export const mastraV0: Framework = {
  name: 'Mastra 0.24',
  handsSignal: true,
  passes: 'authority',
  callId: 'call_0',
  async run({ engine, refund, calls, signal, context, options }) {
    // Version 0.24 uses the models of AI SDK 5, whose mocks need a package that the SDK does not include.
    const prompts: Prompt[] = []
    const model = {
      specificationVersion: 'v2' as const,
      provider: 'mock',
      modelId: 'mock',
      supportedUrls: {},
      doGenerate: async ({ prompt }: { prompt: Prompt }) => {
        prompts.push(prompt)
        const asked = wasAsked(prompt)
        const usage = { inputTokens: 1, outputTokens: 1, totalTokens: 2 }
        return {
          ...answer('refund', calls, asked),
          usage,
          finishReason: asked ? ('stop' as const) : ('tool-calls' as const),
        }
      },
      doStream: () => Promise.reject(new Error('not used')),
    }
    const guarded = guardToolV0(
      engine,
      {
        id: 'refund',
        description,
        inputSchema,
        execute: ({ context: input }, how) => refund(input, how?.abortSignal),
      },
      options,
    )
    const tools = { refund: createToolV0(guarded) }
    const agent = new AgentV0({ name: 'support', instructions: 'Help', model, tools })
    new MastraV0({ agents: { agent }, logger: false })
    const runtimeContext = new RuntimeContext(Object.entries(context ?? {}))
    await agent.generate('refund', { abortSignal: signal, maxSteps: 2, runtimeContext })
    return shownIn(prompts[1])
  },
}
