import { Agent, Runner, tool } from '@openai/agents'
import { assistantMessage, functionCall, modelResponse, ScriptedModel } from '@openai/agents/testing'
import { guardTool } from '@sudoagent/adapters/openai-agents'
import { z } from 'zod'
import type { Framework } from '../scenario.js'

export const openaiAgents: Framework = {
  name: 'OpenAI Agents SDK',
  handsSignal: true,
  passes: 'authority',
  callId: 'call_0',
  async run({ engine, refund, calls, signal, context, options }) {
    const asked = calls.map((input, index) => functionCall('refund', { ...input }, { callId: `call_${index}` }))
    const model = new ScriptedModel([modelResponse(asked), modelResponse([assistantMessage('done')])])
    const tools = [
      tool(
        guardTool(
          engine,
          {
            name: 'refund',
            description: 'Pays money back',
            parameters: z.object({ amount: z.number() }),
            execute: (input, _context, details) => refund(input, details?.signal),
          },
          options,
        ),
      ),
    ]
    const runner = new Runner({ tracingDisabled: true })
    await runner.run(new Agent({ name: 'support', model, tools }), 'refund', { signal, ...(context && { context }) })
    const input = model.calls[1]?.request.input ?? []
    return typeof input === 'string'
      ? []
      : input.flatMap((item) =>
          item.type === 'function_call_result' ? [{ type: item.type, output: item.output }] : [],
        )
  },
}
