import { createTool } from '@mastra/core/tools'
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

  it('keeps the types, and decides on what the schema made of the input', async () => {
    const { engine, ledger } = world()
    const weather = createTool(
      guardTool(engine, {
        id: 'weather',
        description,
        inputSchema,
        outputSchema,
        execute: async ({ city, days }) => {
          expectTypeOf(days).toEqualTypeOf<number>()
          return { sky: `${city} ${days}` }
        },
      }),
    )
    expect(await weather.execute?.({ city: 'Rome' } as never, {} as never)).toEqual({ sky: 'Rome 1' })
    expect((await entriesOf(ledger))[0]).toMatchObject({
      action: 'weather',
      parameters: { kwargs: { city: 'Rome', days: 1 } },
    })
  })

  it('decides, in an agent, on exactly what the tool gets, however often Mastra parses the input', async () => {
    const { engine, ledger } = world()
    const seen: unknown[] = []
    const { weather } = guardTools(engine, {
      weather: {
        id: 'weather',
        description,
        inputSchema: z.object({ city: z.string().transform((city) => `${city}!`), days: z.number().default(1) }),
        execute: async (input: { city: string; days: number }) => `${seen.push(input)} degrees`,
      },
    })
    await runAgent({ weather: createTool(weather) }, 'weather', [{ city: 'Rome' }])
    expect(seen).toHaveLength(1)
    const [decision] = await entriesOf(ledger)
    expect(decision).toMatchObject({ action: 'weather', metadata: { tool_call_id: 'call_0' } })
    expect(decision).toMatchObject({ parameters: { kwargs: seen[0] } })
  })

  it('throws a denial past the schema of the output', async () => {
    const engine = new SudoEngine({ policy: new DenyAllPolicy(), agentId: 'bot', ledger: new MemoryLedger() })
    const execute = async () => ({ sky: 'blue' })
    const weather = createTool(guardTool(engine, { id: 'weather', description, inputSchema, outputSchema, execute }))
    const denied = { name: 'ToolDenied' }
    await expect(weather.execute?.({ city: 'Rome', days: 1 }, {} as never)).rejects.toMatchObject(denied)
  })

  it('does not hand on what would see the input before the decision', () => {
    const onInputAvailable = () => expect.unreachable()
    const execute = async () => ({ sky: 'blue' })
    const definition = { id: 'weather', description, inputSchema, execute, onInputAvailable }
    expect(createTool(definition).onInputAvailable).toBe(onInputAvailable)
    expect(createTool(guardTool(world().engine, definition)).onInputAvailable).toBeUndefined()
  })

  it('refuses a finished tool, and what has nothing to guard', () => {
    const finished = createTool({ id: 'weather', description, inputSchema, execute: async () => 'sunny' })
    expect(() => guardTool(world().engine, finished as never)).toThrow(/definition/)
    const finishedV0 = createToolV0({ id: 'weather', description, inputSchema, execute: async () => 'sunny' })
    expect(() => guardToolV0(world().engine, finishedV0 as never)).toThrow(/definition/)
    expect(() => guardTool(world().engine, { id: 'weather' })).toThrow(/`weather`/)
    expect(() => guardToolV0(world().engine, { id: 'weather' })).toThrow(/`weather`/)
    expect(() => guardTool(world().engine, (async () => 'sunny') as never)).toThrow(/definition/)
  })
})

describe('guardToolV0', () => {
  it('keeps the types, and hands on the rest of the context', async () => {
    const { engine, ledger } = world()
    const guarded = createToolV0(
      guardToolV0(engine, {
        id: 'weather',
        description,
        inputSchema,
        execute: async ({ context, runId }) => `${context.city} ${runId}`,
      }),
    )
    expect(guarded).toBeInstanceOf(ToolV0)
    expect(await guarded.execute?.({ context: { city: 'Rome', days: 1 }, runId: 'kept' } as never)).toBe('Rome kept')
    expect((await entriesOf(ledger))[0]).toMatchObject({
      action: 'weather',
      parameters: { kwargs: { city: 'Rome', days: 1 } },
    })
  })
})
