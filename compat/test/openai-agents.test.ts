import { Agent, type FunctionTool, Runner, tool } from '@openai/agents'
import { assistantMessage, functionCall, modelResponse, ScriptedModel } from '@openai/agents/testing'
import { guardTool, guardTools } from '@sudoagent/adapters/openai-agents'
import { AllowAllPolicy, DenyAllPolicy, SudoEngine } from '@sudoagent/core'
import { MemoryLedger } from '@sudoagent/ledger/memory'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import { entriesOf } from '../../packages/adapters/test/entries.js'
import { testFramework } from './contract.js'
import { openaiAgents } from './framework/openai-agents.js'

testFramework(openaiAgents)

const ledger = new MemoryLedger()
const engine = new SudoEngine({ policy: new AllowAllPolicy(), agentId: 'bot', ledger })
const denying = new SudoEngine({ policy: new DenyAllPolicy(), agentId: 'bot', ledger: new MemoryLedger() })
const parameters = z.object({ city: z.string() })
const description = 'Tells the weather'

/** The result that the model sees after one call of the tool. */
async function shown(weather: FunctionTool<unknown, typeof parameters, unknown>): Promise<unknown> {
  const asked = modelResponse([functionCall('weather', { city: 'Rome' }, { callId: 'call_0' })])
  const model = new ScriptedModel([asked, modelResponse([assistantMessage('done')])])
  await new Runner({ tracingDisabled: true }).run(new Agent({ name: 'bot', model, tools: [weather] }), 'hello')
  const { input = [] } = model.calls[1]?.request ?? {}
  return typeof input === 'string' ? input : input.find(({ type }) => type === 'function_call_result')
}

describe('guardTool', () => {
  it('keeps the types of the tool', () => {
    const options = {
      name: 'weather',
      description,
      parameters,
      execute: async ({ city }: { city: string }) => `sunny in ${city}`,
    }
    expectTypeOf(tool(guardTool(engine, options))).toEqualTypeOf(tool(options))
    const inferred = guardTool(engine, {
      name: 'weather',
      description,
      parameters,
      execute: (input) => {
        expectTypeOf(input).toEqualTypeOf<{ city: string }>()
        return input.city
      },
    })
    expect(tool(inferred)).toMatchObject({ type: 'function', name: 'weather', description })
  })

  it('guards the options of several tools, each under its name', async () => {
    const own = new MemoryLedger()
    const recording = new SudoEngine({ policy: new AllowAllPolicy(), agentId: 'bot', ledger: own })
    const weather = { name: 'weather', description, parameters, execute: async () => 'sunny' }
    const time = { name: 'time', description, parameters: z.object({}), execute: async () => 'noon' }
    const [first, second] = guardTools(recording, [weather, time])
    expectTypeOf(tool(second)).toEqualTypeOf(tool(time))
    expect(await shown(tool(first))).toMatchObject({ output: { text: 'sunny' } })
    expect((await entriesOf(own)).map(({ action }) => action)).toEqual(['weather', 'weather'])
    expect(() => guardTools(recording, [weather, { name: 'browse' }])).toThrow(/`execute`/)
  })

  it('takes the name of the function where the tool has none, and refuses what has neither', async () => {
    async function weather() {
      return 'sunny'
    }
    const named = tool(guardTool(engine, { description, parameters, execute: weather }))
    expect(named.name).toBe('weather')
    expect(await shown(named)).toMatchObject({ output: { text: 'sunny' } })
    expect((await entriesOf(ledger))[0]).toMatchObject({ action: 'weather', metadata: { tool_call_id: 'call_0' } })
    expect(() =>
      guardTool(engine, {
        description,
        parameters,
        execute: (
          () => async () =>
            'sunny'
        )(),
      }),
    ).toThrow(/`name`/)
    expect(() => guardTool(engine, { description, parameters } as never)).toThrow(/`execute`/)
  })

  it('throws a denial where the result must have a form, so that the tool can say it in that form', async () => {
    const weather = tool(
      guardTool(denying, {
        name: 'weather',
        description,
        parameters,
        outputSchema: z.object({ sky: z.string() }),
        execute: async () => ({ sky: 'blue' }),
        errorFunction: (_context, error) => ({ sky: (error as Error).message }),
      }),
    )
    expect(JSON.stringify(await shown(weather))).toContain(
      'This call was denied by policy, so it did not run (POLICY_DENY_HIGH_RISK).',
    )
  })
})
