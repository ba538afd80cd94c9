import { createTool, type ToolExecutionContext } from '@mastra/core/tools'
import { AllowAllPolicy, DenyAllPolicy, SudoEngine } from '@sudoagent/core'
import { MemoryLedger } from '@sudoagent/ledger/memory'
import { createTool as createToolV0 } from 'mastra-v0/tools'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import { ToolDenied } from '../src/denial-text.js'
import { guardTool, guardToolV0 } from '../src/mastra.js'
import { testFramework } from './contract.js'
import { mastra, mastraV0 } from './framework/mastra.js'
import { entriesOf } from './scenario.js'

testFramework(mastra)
testFramework(mastraV0)

const world = () => {
  const ledger = new MemoryLedger()
  return { ledger, engine: new SudoEngine({ policy: new AllowAllPolicy(), agentId: 'bot', ledger }) }
}
const inputSchema = z.object({ city: z.string(), days: z.number().default(1) })
const description = 'Tells the weather'

describe('guardTool', () => {
  it('keeps the types, also where they are inferred, and decides on what the schema made of the input', async () => {
    const { engine, ledger } = world()
    const plain = async ({ city }: { city: string }, _context: ToolExecutionContext) => ({ city, degrees: 21 })
    expectTypeOf(guardTool(engine, 'weather', plain)).parameters.toEqualTypeOf<Parameters<typeof plain>>()
    expectTypeOf(guardTool(engine, 'weather', plain)).returns.resolves.toEqualTypeOf<{
      city: string
      degrees: number
    }>()
    const outputSchema = z.object({ sky: z.string() })
    const weather = createTool({
      id: 'weather',
      description,
      inputSchema,
      outputSchema,
      execute: guardTool(engine, 'weather', async ({ city, days }) => {
        expectTypeOf(days).toEqualTypeOf<number>()
        return { sky: `${city} ${days}` }
      }),
    })
    expect(await weather.execute?.({ city: 'Rome' } as never, {} as never)).toEqual({ sky: 'Rome 1' })
    expect((await entriesOf(ledger))[0]).toMatchObject({
      action: 'weather',
      parameters: { kwargs: { city: 'Rome', days: 1 } },
    })
  })

  it('throws a denial past the schema of the output', async () => {
    const engine = new SudoEngine({ policy: new DenyAllPolicy(), agentId: 'bot', ledger: new MemoryLedger() })
    const execute = guardTool(engine, 'weather', async () => ({ sky: 'blue' }))
    const outputSchema = z.object({ sky: z.string() })
    const weather = createTool({ id: 'weather', description, inputSchema, outputSchema, execute })
    await expect(weather.execute?.({ city: 'Rome', days: 1 }, {} as never)).rejects.toThrow(ToolDenied)
  })

  it('refuses what is no function', () => {
    expect(() => guardTool(world().engine, 'weather', {} as never)).toThrow(/`weather`/)
    expect(() => guardToolV0(world().engine, 'weather', {} as never)).toThrow(/`weather`/)
  })
})

describe('guardToolV0', () => {
  it('keeps the types, and hands on the rest of the context', async () => {
    const { engine, ledger } = world()
    const plain = async ({ context, mark }: { context: { city: string }; mark: string }) => `${context.city} ${mark}`
    const guarded = guardToolV0(engine, 'weather', plain)
    expectTypeOf(guarded).parameter(0).toEqualTypeOf<{ context: { city: string }; mark: string }>()
    expectTypeOf(guarded).returns.resolves.toEqualTypeOf<string>()
    expect(await guarded({ context: { city: 'Rome' }, mark: 'kept' })).toBe('Rome kept')
    expect((await entriesOf(ledger))[0]).toMatchObject({ parameters: { kwargs: { city: 'Rome' } } })
    const weather = createToolV0({
      id: 'weather',
      description,
      inputSchema,
      execute: guardToolV0(engine, 'weather', async ({ context }: { context: { city: string } }) => context.city),
    })
    expect(weather.id).toBe('weather')
  })
})
