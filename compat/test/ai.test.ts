import { guardTool, guardTools } from '@sudoagent/adapters/ai'
import { AllowAllPolicy, DenyAllPolicy, SudoEngine } from '@sudoagent/core'
import { MemoryLedger } from '@sudoagent/ledger/memory'
import * as ai6 from 'ai'
import * as ai7 from 'ai-v7'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import { entriesOf } from '../../packages/adapters/test/entries.js'
import { testFramework } from './contract.js'
import { aiSdk6, aiSdk7 } from './framework/ai.js'

testFramework(aiSdk6)
testFramework(aiSdk7)

const ledger = new MemoryLedger()
const engine = new SudoEngine({ policy: new AllowAllPolicy(), agentId: 'bot', ledger })
const inputSchema = z.object({ city: z.string() })
const how = { toolCallId: 'call_0', messages: [] }

describe('the types survive', () => {
  it('of tools of version 6', () => {
    const tools = { weather: ai6.tool({ inputSchema, execute: async ({ city }) => ({ city, degrees: 21 }) }) }
    const guarded = guardTools(engine, tools)
    expectTypeOf(guarded).toEqualTypeOf(tools)
    expectTypeOf<ai6.InferToolInput<typeof guarded.weather>>().toEqualTypeOf<{ city: string }>()
    expectTypeOf<ai6.InferToolOutput<typeof guarded.weather>>().toEqualTypeOf<{ city: string; degrees: number }>()
    expectTypeOf(ai6.generateText).toBeCallableWith({ model: 'm', prompt: 'p', tools: guarded })
    expect(Object.keys(guarded)).toEqual(['weather'])
  })

  it('of tools of version 7', () => {
    const tools = { weather: ai7.tool({ inputSchema, execute: async ({ city }) => ({ city, degrees: 21 }) }) }
    const guarded = guardTools(engine, tools)
    expectTypeOf(guarded).toEqualTypeOf(tools)
    expectTypeOf<ai7.InferToolInput<typeof guarded.weather>>().toEqualTypeOf<{ city: string }>()
    expectTypeOf<ai7.InferToolOutput<typeof guarded.weather>>().toEqualTypeOf<{ city: string; degrees: number }>()
    // @ts-expect-error a string is no tool
    expect(() => guardTools(engine, { weather: 'sunny' })).toThrow(TypeError)
  })
})

describe('guardTool', () => {
  it('refuses a tool that it cannot guard', () => {
    expect(() => guardTool(engine, ai6.tool({ inputSchema, outputSchema: z.string() }), { action: 'browse' })).toThrow(
      /`browse`/,
    )
  })

  it('hands a denial to the program as data', async () => {
    const denying = new SudoEngine({ policy: new DenyAllPolicy(), agentId: 'bot', ledger: new MemoryLedger() })
    const { execute } = guardTool(denying, ai6.tool({ inputSchema, execute: async () => 'sunny' }), {
      action: 'weather',
    })
    const error = await Promise.resolve(execute?.({ city: 'Rome' }, how)).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ name: 'ToolDenied', denial: { status: 'denied', code: 'POLICY_DENY_HIGH_RISK' } })
    expect(error).not.toHaveProperty('cause')
  })

  it.each(['onInputStart', 'onInputDelta', 'onInputAvailable'])(
    'does not hand on `%s`, which would see the input before the decision',
    (name) => {
      const seen: unknown[] = []
      const given = {
        description: 'Tells the weather',
        execute: async () => 'sunny',
        [name]: (input: unknown) => seen.push(input),
      }
      for (const guarded of [
        guardTool(engine, given, { action: 'weather' }),
        guardTools(engine, { weather: given }).weather,
      ]) {
        expect(name in guarded).toBe(false)
        expect(guarded.description).toBe('Tells the weather')
      }
      expect(name in given).toBe(true)
    },
  )

  it('takes the action that it is given', async () => {
    const own = new MemoryLedger()
    const recording = new SudoEngine({ policy: new AllowAllPolicy(), agentId: 'bot', ledger: own })
    const { execute } = guardTool(recording, ai6.tool({ inputSchema, execute: async () => 1 }), {
      action: 'weather',
    })
    await execute?.({ city: 'Rome' }, how)
    expect((await entriesOf(own)).map(({ action }) => action)).toEqual(['weather', 'weather'])
  })

  describe('a tool that yields', () => {
    const steps = ai6.tool({
      inputSchema,
      async *execute({ city }) {
        yield 'looking'
        if (city === 'Atlantis') throw new Error('no such city')
        yield 'sunny'
      },
    })
    const run = async (city: string, count = 9): Promise<unknown[]> => {
      const seen: unknown[] = []
      const { execute } = guardTool(engine, steps, { action: 'weather' })
      for await (const step of (execute?.({ city }, how) ?? []) as AsyncIterable<unknown>) {
        seen.push(step)
        if (seen.length === count) break
      }
      return seen
    }
    const lastOutcome = async (): Promise<unknown> => (await entriesOf(ledger)).at(-1)?.outcome

    it('yields on, and is recorded when it ends', async () => {
      expect(await run('Rome')).toEqual(['looking', 'sunny'])
      expect(await lastOutcome()).toMatchObject({ status: 'success' })
    })

    it('is an error when it throws, and when nobody reads it to its end', async () => {
      await expect(run('Atlantis')).rejects.toThrow('no such city')
      expect(await lastOutcome()).toMatchObject({ status: 'error', error: 'no such city' })
      expect(await run('Rome', 1)).toEqual(['looking'])
      expect(await lastOutcome()).toMatchObject({ status: 'error' })
    })

    it('is not started when it is denied', async () => {
      const denying = new SudoEngine({ policy: new DenyAllPolicy(), agentId: 'bot', ledger: new MemoryLedger() })
      const output = guardTool(denying, steps, { action: 'weather' }).execute?.(
        { city: 'Rome' },
        how,
      ) as AsyncGenerator<unknown>
      await expect(output.next()).rejects.toMatchObject({ name: 'ToolDenied' })
    })

    it('from an ordinary function gives its last step', async () => {
      const source = steps.execute as NonNullable<typeof steps.execute>
      const plain = ai6.tool({ inputSchema, execute: (input, options) => source(input, options) })
      expect(await guardTool(engine, plain, { action: 'weather' }).execute?.({ city: 'Rome' }, how)).toBe('sunny')
    })
  })
})
