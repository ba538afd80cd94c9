import { callTool } from '@llamaindex/core/agent'
import { FunctionTool, tool } from '@llamaindex/core/tools'
import { guardTool, guardTools } from '@sudoagent/adapters/llamaindex'
import { AllowAllPolicy, DenyAllPolicy, SudoEngine } from '@sudoagent/core'
import { MemoryLedger } from '@sudoagent/ledger/memory'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import { entriesOf } from '../../packages/adapters/test/entries.js'
import { testFramework } from './contract.js'
import { llamaindex } from './framework/llamaindex.js'

testFramework(llamaindex)

const ledger = new MemoryLedger()
const engine = new SudoEngine({ policy: new AllowAllPolicy(), agentId: 'bot', ledger })
const silent = { log: () => {}, warn: () => {}, error: () => {} }

describe('guardTool', () => {
  it('keeps the type of the tool, and the tool', async () => {
    const plain = tool({
      name: 'weather',
      description: 'Tells the weather',
      parameters: z.object({ city: z.string(), days: z.number().default(1) }),
      execute: ({ city, days }) => `sunny in ${city} for ${days}`,
    })
    const weather = guardTool(engine, plain)
    expectTypeOf(weather).toEqualTypeOf(plain)
    expect(weather).toBeInstanceOf(FunctionTool)
    expect(weather.metadata).toBe(plain.metadata)
    expect(await weather.call({ city: 'Rome' } as { city: string; days: number })).toBe('sunny in Rome for 1')
    // The schema parses the input after the decision.
    expect((await entriesOf(ledger))[0]).toMatchObject({ action: 'weather', parameters: { kwargs: { city: 'Rome' } } })
    expect(await plain.call({ city: 'Oslo', days: 2 })).toBe('sunny in Oslo for 2')
    expect(await entriesOf(ledger)).toHaveLength(2)
  })

  it('hands on what is bound to the tool, which is guarded then, too', async () => {
    const own = new MemoryLedger()
    const recording = new SudoEngine({ policy: new AllowAllPolicy(), agentId: 'bot', ledger: own })
    const greet = ({ name }: { name: string }, bound?: { greeting: string }) => `${bound?.greeting} ${name}`
    const schema = { name: 'greet', description: 'Greets', parameters: z.object({ name: z.string() }) }
    const guarded = guardTool(recording, FunctionTool.from(greet, schema))
    expect(await guarded.bind({ greeting: 'Hello' }).call({ name: 'Ada' })).toBe('Hello Ada')
    expect((await entriesOf(own)).map(({ action }) => action)).toEqual(['greet', 'greet'])
  })

  it('is an error of the tool when it is denied', async () => {
    const denying = new SudoEngine({ policy: new DenyAllPolicy(), agentId: 'bot', ledger: new MemoryLedger() })
    const [weather] = guardTools(denying, [
      tool({ name: 'weather', description: 'Tells the weather', parameters: z.object({}), execute: () => 'sunny' }),
    ])
    expect(await callTool(weather, { name: 'weather', input: {}, id: 'call_0' }, silent)).toMatchObject({
      isError: true,
      output: expect.stringContaining('This call was denied by policy, so it did not run.'),
    })
  })

  it('refuses what cannot be called', () => {
    expect(() => guardTool(engine, { metadata: { name: 'weather' } })).toThrow(/`weather`/)
    expect(() => guardTool(engine, (() => 'sunny') as never)).toThrow(/`metadata`/)
  })
})
