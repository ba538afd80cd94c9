import { callTool } from '@llamaindex/core/agent'
import { FunctionTool, tool } from '@llamaindex/core/tools'
import { guardTool, guardTools } from '@sudoagent/adapters/llamaindex'
import { AllowAllPolicy, DenyAllPolicy, SudoEngine } from '@sudoagent/core'
import { MemoryLedger } from '@sudoagent/ledger/memory'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { entriesOf } from '../../packages/adapters/test/entries.js'
import { testFramework } from './contract.js'
import { llamaindex } from './framework/llamaindex.js'

testFramework(llamaindex)

const ledger = new MemoryLedger()
const engine = new SudoEngine({ policy: new AllowAllPolicy(), agentId: 'bot', ledger })
const silent = { log: () => {}, warn: () => {}, error: () => {} }

describe('guardTool', () => {
  it('decides on what the schema made of the input, which is what the tool gets', async () => {
    const seen: unknown[] = []
    const weather = tool(
      guardTool(engine, {
        name: 'weather',
        description: 'Tells the weather',
        parameters: z.object({ city: z.string(), days: z.number().default(1) }),
        execute: (input: { city: string; days: number }) => {
          seen.push(input)
          return `sunny in ${input.city} for ${input.days}`
        },
      }),
    )
    expect(weather).toBeInstanceOf(FunctionTool)
    expect(await weather.call({ city: 'Rome' } as never)).toBe('sunny in Rome for 1')
    expect(seen).toEqual([{ city: 'Rome', days: 1 }])
    expect((await entriesOf(ledger))[0]).toMatchObject({
      action: 'weather',
      parameters: { kwargs: { city: 'Rome', days: 1 } },
    })
  })

  it('hands on what is bound to the tool', async () => {
    const own = new MemoryLedger()
    const recording = new SudoEngine({ policy: new AllowAllPolicy(), agentId: 'bot', ledger: own })
    const execute = ({ name }: { name: string }, bound?: { greeting: string }) => `${bound?.greeting} ${name}`
    const schema = { name: 'greet', description: 'Greets', parameters: z.object({ name: z.string() }) }
    const guarded = guardTool(recording, { ...schema, execute })
    expect(await FunctionTool.from(guarded.execute, schema).bind({ greeting: 'Hello' }).call({ name: 'Ada' })).toBe(
      'Hello Ada',
    )
    expect((await entriesOf(own)).map(({ action }) => action)).toEqual(['greet', 'greet'])
  })

  it('is an error of the tool when it is denied', async () => {
    const denying = new SudoEngine({ policy: new DenyAllPolicy(), agentId: 'bot', ledger: new MemoryLedger() })
    const [definition] = guardTools(denying, [
      { name: 'weather', description: 'Tells the weather', parameters: z.object({}), execute: () => 'sunny' },
    ])
    expect(await callTool(tool(definition), { name: 'weather', input: {}, id: 'call_0' }, silent)).toMatchObject({
      isError: true,
      output: expect.stringContaining('This call was denied by policy, so it did not run (POLICY_DENY_HIGH_RISK).'),
    })
  })

  it('refuses a finished tool, and what has nothing to guard', () => {
    const plain = { name: 'weather', description: 'Tells the weather', parameters: z.object({}) }
    const finished = tool({ ...plain, execute: () => 'sunny' })
    expect(() => guardTool(engine, finished as never)).toThrow(/definition/)
    expect(() => guardTool(engine, plain as never)).toThrow(/`weather`/)
    expect(() => guardTool(engine, { ...plain, name: '', execute: () => 'sunny' })).toThrow(/`name`/)
  })
})
