// LlamaIndex.TS: guards the tools of an agent in one line. The package has no mock model, so this file defines one.
import { type ChatMessage, type LLMChatParamsStreaming, ToolCallLLM } from '@llamaindex/core/llms'
import { tool } from '@llamaindex/core/tools'
import { agent } from '@llamaindex/workflow'
import { guardTool } from '@sudoagent/adapters/llamaindex'
import { CALLS, check, engine, payBack, refundSchema } from './refunds.js'

class ScriptedModel extends ToolCallLLM {
  readonly supportToolCall = true
  readonly metadata = {
    model: 'scripted',
    temperature: 0,
    topP: 1,
    contextWindow: 4096,
    tokenizer: undefined,
    structuredOutput: false,
  }
  readonly requests: ChatMessage[][] = []

  override async chat({ messages }: Pick<LLMChatParamsStreaming, 'messages'>): Promise<never> {
    this.requests.push([...messages])
    const toolCall = CALLS.map((input, index) => ({ name: 'refund', input, id: `call_${index}` }))
    const asks = this.requests.length === 1
    const chunk = asks ? { delta: '', raw: null, options: { toolCall } } : { delta: 'done', raw: null }
    // The agent only streams; it never calls the other overload.
    return (async function* () {
      yield chunk
    })() as never
  }
}

const refund = tool(
  guardTool(engine, {
    name: 'refund',
    description: 'Pays money back',
    parameters: refundSchema,
    execute: (input) => payBack(input),
  }),
)
const llm = new ScriptedModel()
await agent({ llm, tools: [refund] }).run('Refund orders 1 and 2')

const options = llm.requests[1]?.map((message) => message.options ?? {}) ?? []
await check(options.flatMap((option) => ('toolResult' in option ? [option.toolResult] : [])))
