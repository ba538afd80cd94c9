import { ToolMessage } from '@langchain/core/messages'
import { DynamicStructuredTool } from '@langchain/core/tools'
import { guardTool, guardToolCalls, guardTools } from '@sudoagent/adapters/langchain'
import { AllowAllPolicy, DenyAllPolicy, type Policy, SudoEngine } from '@sudoagent/core'
import { MemoryLedger } from '@sudoagent/ledger/memory'
import { tool, type WrapToolCallHook } from 'langchain'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import { entriesOf } from '../../packages/adapters/test/entries.js'
import { testUnicode } from '../../packages/adapters/test/unicode.js'
import { testFramework } from './contract.js'
import { langchainAgent, langchainTool } from './framework/langchain.js'

testFramework(langchainAgent)
testFramework(langchainTool)
testUnicode('langchain', async (engine, input, tool) =>
  guardToolCalls(engine)({ toolCall: { name: 't', args: input, id: 'c' }, runtime: {} }, (request) =>
    tool(request.toolCall.args),
  ),
)

const engineWith = (policy: Policy, ledger = new MemoryLedger()) => new SudoEngine({ policy, agentId: 'bot', ledger })
const schema = z.object({ city: z.string() })
const fields = { name: 'weather', description: 'Tells the weather', schema }
const call = { name: 'weather', args: { city: 'Rome' }, id: 'call_0', type: 'tool_call' as const }

describe('guardTool', () => {
  it('keeps the type of the tool, and the tool', async () => {
    const weather = tool(async ({ city }) => ({ city, degrees: 21 }), fields)
    const guarded = guardTool(engineWith(new AllowAllPolicy()), weather)
    expectTypeOf(guarded).toEqualTypeOf(weather)
    expect(guarded).toBeInstanceOf(DynamicStructuredTool)
    expect([guarded.name, guarded.description, guarded.schema]).toEqual(['weather', 'Tells the weather', schema])
    expect(await guarded.invoke({ city: 'Rome' })).toEqual({ city: 'Rome', degrees: 21 })
  })

  it('decides on what the schema made of the input', async () => {
    const ledger = new MemoryLedger()
    const parsing = { ...fields, schema: z.object({ city: z.string().transform((name) => name.toUpperCase()) }) }
    const weather = guardTool(
      engineWith(new AllowAllPolicy(), ledger),
      tool(async ({ city }) => city, parsing),
    )
    expect(await weather.invoke({ city: 'Rome' })).toBe('ROME')
    expect((await entriesOf(ledger))[0]).toMatchObject({ parameters: { kwargs: { city: 'ROME' } } })
  })

  it('gives a denial to a program as text, and to a tool with artifacts without one', async () => {
    const engine = engineWith(new DenyAllPolicy())
    const text =
      'This call was denied by policy, so it did not run (POLICY_DENY_HIGH_RISK). Reason: every call is denied. Do not repeat this call unchanged.'
    const plain = guardTool(
      engine,
      tool(async () => 'sunny', fields),
    )
    expect(await plain.invoke({ city: 'Rome' })).toBe(text)
    const two = guardTool(
      engine,
      tool(async () => ['sunny', 'chart'], { ...fields, responseFormat: 'content_and_artifact' }),
    )
    expect(await two.invoke(call)).toMatchObject({ content: text, status: 'error', artifact: undefined })
  })

  it('reads a generator to its end before the outcome is recorded', async () => {
    const ledger = new MemoryLedger()
    const steps = tool(async function* ({ city }) {
      yield 'looking'
      if (city === 'Atlantis') throw new Error('no such city')
      return 'sunny'
    }, fields)
    const guarded = guardTool(engineWith(new AllowAllPolicy(), ledger), steps)
    expect(await guarded.invoke({ city: 'Rome' })).toBe('sunny')
    await expect(guarded.invoke({ city: 'Atlantis' })).rejects.toThrow('no such city')
    expect((await entriesOf(ledger)).filter(({ event }) => event === 'outcome')).toMatchObject([
      { outcome: { status: 'success' } },
      { outcome: { status: 'error', error: 'no such city' } },
    ])
  })
})

describe('guardTools', () => {
  const weather = tool(async ({ city }) => `sunny in ${city}`, fields)
  const time = tool(async () => 'noon', { name: 'time', description: 'Tells the time', schema: z.object({}) })

  it('guards each tool of a list, and keeps their types', async () => {
    const ledger = new MemoryLedger()
    const [first, second] = guardTools(engineWith(new AllowAllPolicy(), ledger), [weather, time])
    expectTypeOf(first).toEqualTypeOf(weather)
    expectTypeOf(second).toEqualTypeOf(time)
    expect([await first.invoke({ city: 'Rome' }), await second.invoke({})]).toEqual(['sunny in Rome', 'noon'])
    const decisions = (await entriesOf(ledger)).filter(({ event }) => event === 'decision')
    expect(decisions.map(({ action }) => action)).toEqual(['weather', 'time'])
  })

  it('refuses a runnable, which would run without `_call`', () => {
    const runnable = { name: 'weather', invoke: () => expect.unreachable() }
    expect(() => guardTools(engineWith(new AllowAllPolicy()), [weather, runnable])).toThrow(/`weather`.*`_call`/)
  })
})

describe('guardToolCalls', () => {
  it('fits createMiddleware, guards what other middleware brings, and records the error that a tool reports', async () => {
    const ledger = new MemoryLedger()
    const wrapToolCall = guardToolCalls(engineWith(new AllowAllPolicy(), ledger))
    expectTypeOf(wrapToolCall).toExtend<WrapToolCallHook>()
    const failed = new ToolMessage({ content: 'no such city', tool_call_id: 'call_0', status: 'error' })
    expect(await wrapToolCall({ toolCall: call, runtime: {} }, async () => failed)).toBe(failed)
    expect((await entriesOf(ledger)).at(-1)).toMatchObject({ outcome: { status: 'error' } })
  })

  it('hands on the arguments that were decided on', async () => {
    const wrapToolCall = guardToolCalls(engineWith(new AllowAllPolicy()))
    const request = { toolCall: { ...call, args: { city: 'Rome' } }, runtime: {}, state: 'kept' }
    const seen = await wrapToolCall(request, async (passed) => passed)
    expect(seen).toEqual(request)
    expect((seen as typeof request).toolCall.args).not.toBe(request.toolCall.args)
  })
})
