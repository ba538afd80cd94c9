import { type ChatMessage, type LLMChatParamsStreaming, ToolCallLLM } from '@llamaindex/core/llms'
import { tool } from '@llamaindex/core/tools'
import { agent } from '@llamaindex/workflow'
import { guardTools } from '@sudoagent/adapters/llamaindex'
import { z } from 'zod'
import type { Framework, RefundInput } from '../scenario.js'

/** The package has no mock model. This mock requests the calls and then finishes. */
class ScriptedModel extends ToolCallLLM {
  readonly supportToolCall = true
  readonly metadata = {
    model: 'm',
    temperature: 0,
    topP: 1,
    contextWindow: 4096,
    tokenizer: undefined,
    structuredOutput: false,
  }
  readonly requests: ChatMessage[][] = []
  readonly #calls: readonly RefundInput[]

  constructor(calls: readonly RefundInput[]) {
    super()
    this.#calls = calls
  }

  override async chat({ messages }: Pick<LLMChatParamsStreaming, 'messages'>): Promise<never> {
    this.requests.push([...messages])
    const toolCall = this.#calls.map((input, index) => ({ name: 'refund', input, id: `call_${index}` }))
    const asks = this.requests.length === 1
    const chunk = asks ? { delta: '', raw: null, options: { toolCall } } : { delta: 'done', raw: null }
    // The agent only streams; it never calls the other overload.
    return (async function* () {
      yield chunk
    })() as never
  }
}

export const llamaindex: Framework = {
  name: 'LlamaIndex.TS',
  handsSignal: false,
  passes: 'nothing',
  callId: undefined,
  async run({ engine, refund, calls, signal, options }) {
    const llm = new ScriptedModel(calls)
    const definition = {
      name: 'refund',
      description: 'Pays money back',
      parameters: z.object({ amount: z.number() }),
      execute: (input: RefundInput) => refund(input),
    }
    const [guarded] = guardTools(engine, [definition], { ...options, signal })
    await agent({ llm, tools: [tool(guarded)] }).run('refund')
    return (llm.requests[1] ?? []).flatMap(({ options }) => {
      if (options === undefined || !('toolResult' in options)) return []
      const { result, isError } = options.toolResult as { result: unknown; isError: boolean }
      return [{ result, isError }]
    })
  },
}
