import { guardToolCalls } from '@sudoagent/adapters/genkit'
import { AllowAllPolicy, SudoEngine } from '@sudoagent/core'
import { MemoryLedger } from '@sudoagent/ledger/memory'
import { type GenerateMiddleware, generateMiddleware, type ToolRequestPart, z } from 'genkit'
import { genkit as betaGenkit } from 'genkit/beta'
import { mockModel } from 'genkit/testing'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { entriesOf } from '../../packages/adapters/test/entries.js'
import { testFramework } from './contract.js'
import { genkitFramework } from './framework/genkit.js'

testFramework(genkitFramework)

const world = () => {
  const ledger = new MemoryLedger()
  return { ledger, engine: new SudoEngine({ policy: new AllowAllPolicy(), agentId: 'bot', ledger }) }
}

describe('guardToolCalls', () => {
  it('fits generateMiddleware', () => {
    const guard = generateMiddleware({ name: 'sudoagent' }, guardToolCalls(world().engine))
    expectTypeOf(guard).toExtend<GenerateMiddleware>()
    expect(guard()).toMatchObject({ name: 'sudoagent' })
  })

  it('hands on the request with the input that was decided on', async () => {
    const { tool } = guardToolCalls(world().engine)()
    const part: ToolRequestPart = {
      toolRequest: { name: 'weather', input: { city: 'Rome' } },
      metadata: { kept: true },
    }
    const seen: ToolRequestPart[] = []
    const response = { toolResponse: { name: 'weather', output: 'sunny' } }
    const next = async (passed: ToolRequestPart) => {
      seen.push(passed)
      return response
    }
    expect(await tool(part, {}, next)).toBe(response)
    expect(seen).toEqual([part])
    expect(seen[0]?.toolRequest.input).not.toBe(part.toolRequest.input)
  })

  it('lets an interrupt through, as an end of the call that is on record', async () => {
    const { engine, ledger } = world()
    const ai = betaGenkit({})
    const model = mockModel(ai, { respond: [{ toolRequests: [{ name: 'ask', input: {} }] }, 'never'] })
    const ask = ai.defineTool(
      { name: 'ask', description: 'Asks', inputSchema: z.object({}) },
      async (_, { interrupt }) => interrupt({ question: 'sure?' }),
    )
    const guard = generateMiddleware({ name: 'sudoagent' }, guardToolCalls(engine))
    const { finishReason } = await ai.generate({ model, prompt: 'ask', tools: [ask], use: [guard()] })
    expect(finishReason).toBe('interrupted')
    expect((await entriesOf(ledger)).at(-1)).toMatchObject({
      outcome: { status: 'error', error_type: 'ToolInterruptError' },
    })
  })
})
