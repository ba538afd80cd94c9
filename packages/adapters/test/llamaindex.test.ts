import { callTool } from '@llamaindex/core/agent'
import { FunctionTool, tool } from '@llamaindex/core/tools'
import { AllowAllPolicy, DenyAllPolicy, SudoEngine } from '@sudoagent/core'
import { MemoryLedger } from '@sudoagent/ledger/memory'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import { guardTool } from '../src/llamaindex.js'
import { testFramework } from './contract.js'
import { llamaindex } from './framework/llamaindex.js'
import { entriesOf } from './scenario.js'

testFramework(llamaindex)

const ledger = new MemoryLedger()
const engine = new SudoEngine({ policy: new AllowAllPolicy(), agentId: 'bot', ledger })
const silent = { log: () => {}, warn: () => {}, error: () => {} }

describe('guardTool', () => {
  it('keeps the types, also where they are inferred', async () => {
    const plain = async ({ city }: { city: string }) => ({ city, degrees: 21 })
    expectTypeOf(guardTool(engine, 'weather', plain))
      .parameter(0)
      .toEqualTypeOf<{ city: string }>()
    expectTypeOf(guardTool(engine, 'weather', plain)).returns.resolves.toEqualTypeOf<{
      city: string
      degrees: number
    }>()
    const weather = tool({
      name: 'weather',
      description: 'Tells the weather',
      parameters: z.object({ city: z.string(), days: z.number().default(1) }),
      execute: guardTool(engine, 'weather', ({ city, days }) => `sunny in ${city} for ${days}`),
    })
    expect(weather).toBeInstanceOf(FunctionTool)
    expect(await weather.call({ city: 'Rome' } as { city: string; days: number })).toBe('sunny in Rome for 1')
    expect((await entriesOf(ledger))[0]).toMatchObject({
      action: 'weather',
      parameters: { kwargs: { city: 'Rome', days: 1 } },
    })
  })

  it('hands on what is bound to the tool', async () => {
    const greet = guardTool(
      engine,
      'greet',
      ({ name }: { name: string }, bound?: { greeting: string }) => `${bound?.greeting} ${name}`,
    )
    const schema = { name: 'greet', description: 'Greets', parameters: z.object({ name: z.string() }) }
    expect(await FunctionTool.from(greet, schema).bind({ greeting: 'Hello' }).call({ name: 'Ada' })).toBe('Hello Ada')
  })

  it('is an error of the tool when it is denied', async () => {
    const denying = new SudoEngine({ policy: new DenyAllPolicy(), agentId: 'bot', ledger: new MemoryLedger() })
    const execute = guardTool(denying, 'weather', () => 'sunny')
    const weather = tool({ name: 'weather', description: 'Tells the weather', parameters: z.object({}), execute })
    expect(await callTool(weather, { name: 'weather', input: {}, id: 'call_0' }, silent)).toMatchObject({
      isError: true,
      output: expect.stringContaining('This call was denied by policy and did not run.'),
    })
  })

  it('refuses what is no function', () => {
    expect(() => guardTool(engine, 'weather', 'sunny' as never)).toThrow(/`weather`/)
  })
})
