import { createTool, Tool } from '@mastra/core/tools'
import { guardTool, guardTools, guardToolV0 } from '@sudoagent/adapters/mastra'
import { AllowAllPolicy, DenyAllPolicy, SudoEngine } from '@sudoagent/core'
import { MemoryLedger } from '@sudoagent/ledger/memory'
import { createTool as createToolV0, Tool as ToolV0 } from 'mastra-v0/tools'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import { entriesOf } from '../../packages/adapters/test/entries.js'
import { testFramework } from './contract.js'
import { mastra, mastraV0, runAgent } from './framework/mastra.js'

testFramework(mastra)
testFramework(mastraV0)

const world = () => {
  const ledger = new MemoryLedger()
  return { ledger, engine: new SudoEngine({ policy: new AllowAllPolicy(), agentId: 'bot', ledger }) }
}
const inputSchema = z.object({ city: z.string(), days: z.number().default(1) })
const description = 'Tells the weather'

describe('guardTool', () => {
  const outputSchema = z.object({ sky: z.string() })

  it('keeps the type of the tool, and the tool', async () => {
    const { engine, ledger } = world()
    const plain = createTool({
      id: 'weather',
      description,
      inputSchema,
      outputSchema,
      execute: async ({ city, days }) => ({ sky: `${city} ${days}` }),
    })
    const weather = guardTool(engine, plain)
    expectTypeOf(weather).toEqualTypeOf(plain)
    expectTypeOf(guardTools(engine, { weather: plain })).toEqualTypeOf({ weather: plain })
    expect(weather).toBeInstanceOf(Tool)
    expect({ ...weather, execute: null }).toEqual({ ...plain, execute: null })
    expect(await weather.execute?.({ city: 'Rome' } as never, {} as never)).toEqual({ sky: 'Rome 1' })
    expect((await entriesOf(ledger))[0]).toMatchObject({ action: 'weather', parameters: { kwargs: { city: 'Rome' } } })
  })

  it('decides, in an agent, on what the schema made of the input, and the tool gets that', async () => {
    const { engine, ledger } = world()
    const seen: unknown[] = []
    const weather = createTool({
      id: 'weather',
      description,
      inputSchema: z.object({ city: z.string().transform((city) => city.toUpperCase()), days: z.number().default(1) }),
      execute: async (input) => `${seen.push(input)} degrees`,
    })
    await runAgent(guardTools(engine, { weather }), 'weather', [{ city: 'Rome' }])
    expect(seen).toEqual([{ city: 'ROME', days: 1 }])
    expect((await entriesOf(ledger))[0]).toMatchObject({
      action: 'weather',
      parameters: { kwargs: { city: 'ROME', days: 1 } },
      metadata: { tool_call_id: 'call_0' },
    })
  })

  it('records an input that does not fit the schema as an error: the tool did not run', async () => {
    const { engine, ledger } = world()
    const weather = createTool({ id: 'weather', description, inputSchema, execute: async () => expect.unreachable() })
    const output = await guardTool(engine, weather).execute?.({ city: 1 } as never, {} as never)
    expect(output).toMatchObject({ error: true })
    expect((await entriesOf(ledger)).at(-1)).toMatchObject({ outcome: { status: 'error' } })
  })

  it('throws a denial past the schema of the output', async () => {
    const engine = new SudoEngine({ policy: new DenyAllPolicy(), agentId: 'bot', ledger: new MemoryLedger() })
    const execute = async () => ({ sky: 'blue' })
    const weather = guardTool(engine, createTool({ id: 'weather', description, inputSchema, outputSchema, execute }))
    const denied = { name: 'ToolDenied' }
    await expect(weather.execute?.({ city: 'Rome', days: 1 }, {} as never)).rejects.toMatchObject(denied)
  })

  it('does not hand on what would see the input before the decision', () => {
    const onInputAvailable = () => expect.unreachable()
    const execute = async () => ({ sky: 'blue' })
    const weather = createTool({ id: 'weather', description, inputSchema, execute, onInputAvailable })
    expect(weather.onInputAvailable).toBe(onInputAvailable)
    expect(guardTool(world().engine, weather).onInputAvailable).toBeUndefined()
  })

  it('refuses what it cannot guard', () => {
    expect(() => guardTool(world().engine, { id: 'weather' })).toThrow(/`weather`/)
    expect(() => guardToolV0(world().engine, { id: 'weather' })).toThrow(/`weather`/)
    expect(() => guardTool(world().engine, (async () => 'sunny') as never)).toThrow(/`id`/)
  })
})

describe('guardToolV0', () => {
  it('keeps the types, and hands on the rest of the context', async () => {
    const { engine, ledger } = world()
    const plain = createToolV0({
      id: 'weather',
      description,
      inputSchema,
      execute: async ({ context, runId }) => `${context.city} ${runId}`,
    })
    const guarded = guardToolV0(engine, plain)
    expectTypeOf(guarded).toEqualTypeOf(plain)
    expect(guarded).toBeInstanceOf(ToolV0)
    expect(await guarded.execute?.({ context: { city: 'Rome', days: 1 }, runId: 'kept' } as never)).toBe('Rome kept')
    expect((await entriesOf(ledger))[0]).toMatchObject({
      action: 'weather',
      parameters: { kwargs: { city: 'Rome', days: 1 } },
    })
  })
})
