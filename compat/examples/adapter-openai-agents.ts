// OpenAI Agents SDK: guards the options of a tool before `tool` creates it.
import { Agent, Runner, tool } from '@openai/agents'
import { assistantMessage, functionCall, modelResponse, ScriptedModel } from '@openai/agents/testing'
import { guardTool } from '@sudoagent/adapters/openai-agents'
import { CALLS, check, engine, payBack, refundSchema } from './refunds.js'

const refund = tool(
  guardTool(engine, {
    name: 'refund',
    description: 'Pays money back',
    parameters: refundSchema,
    execute: (input) => payBack(input),
  }),
)
const model = new ScriptedModel([
  modelResponse(CALLS.map((input, index) => functionCall('refund', { ...input }, { callId: `call_${index}` }))),
  modelResponse([assistantMessage('done')]),
])
const agent = new Agent({ name: 'support', model, tools: [refund] })
await new Runner({ tracingDisabled: true }).run(agent, 'Refund orders 1 and 2')

const { input = [] } = model.calls[1]?.request ?? {}
const results = typeof input === 'string' ? [] : input.filter(({ type }) => type === 'function_call_result')
await check(results)
