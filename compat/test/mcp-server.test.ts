import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js'
import { McpServer, type ToolCallback } from '@modelcontextprotocol/sdk/server/mcp.js'
import type { CallToolRequest, CallToolResult } from '@modelcontextprotocol/sdk/types.js'
import { guardTool, guardToolCalls } from '@sudoagent/adapters/mcp-server'
import { AllowAllPolicy, SudoEngine } from '@sudoagent/core'
import { MemoryLedger } from '@sudoagent/ledger/memory'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import { entriesOf } from '../../packages/adapters/test/entries.js'
import { testFramework } from './contract.js'
import { mcpLowLevel, mcpServer } from './framework/mcp-server.js'

testFramework(mcpServer)
testFramework(mcpLowLevel)

const world = () => {
  const ledger = new MemoryLedger()
  return { ledger, engine: new SudoEngine({ policy: new AllowAllPolicy(), agentId: 'bot', ledger }) }
}
const text = (said: string): CallToolResult => ({ content: [{ type: 'text', text: said }] })

describe('guardTool', () => {
  it('keeps the type of the callback, also where it is inferred', async () => {
    const { engine, ledger } = world()
    const server = new McpServer({ name: 'weather', version: '1' })
    server.registerTool(
      'weather',
      { inputSchema: { city: z.string(), days: z.number().default(1) } },
      guardTool(
        engine,
        async ({ city, days }, { signal }) => {
          expectTypeOf(city).toEqualTypeOf<string>()
          expectTypeOf(signal).toEqualTypeOf<AbortSignal>()
          return text(`${city} ${days}`)
        },
        { action: 'weather' },
      ),
    )
    server.registerTool(
      'time',
      {},
      guardTool(engine, async ({ requestId }) => text(`noon ${typeof requestId}`), { action: 'time' }),
    )
    const callback: ToolCallback<{ city: z.ZodString }> = async ({ city }) => text(city)
    expectTypeOf(guardTool(engine, callback, { action: 'weather' })).toEqualTypeOf(callback)

    const client = new Client({ name: 'test', version: '1' })
    const [near, far] = InMemoryTransport.createLinkedPair()
    await Promise.all([server.connect(far), client.connect(near)])
    expect(await client.callTool({ name: 'weather', arguments: { city: 'Rome' } })).toEqual(text('Rome 1'))
    expect(await client.callTool({ name: 'time', arguments: { ignored: 1 } })).toEqual(text('noon number'))
    await client.close()
    expect((await entriesOf(ledger)).filter(({ event }) => event === 'decision')).toMatchObject([
      { action: 'weather', parameters: { kwargs: { city: 'Rome', days: 1 } } },
      { action: 'time', parameters: { args: [], kwargs: {} } },
    ])
  })

  it('refuses what it cannot guard', () => {
    const task = { createTask: async () => ({}) } as never
    expect(() => guardTool(world().engine, task, { action: 'slow' })).toThrow(/`slow`/)
    // @ts-expect-error a callback has no name
    expect(() => guardTool(world().engine, async () => text('no'))).toThrow(/`action`/)
  })

  it('records the error that a tool reports', async () => {
    const { engine, ledger } = world()
    const failing = async (_args: object, _extra: object) => ({ ...text('no'), isError: true })
    const guarded = guardTool(engine, failing, { action: 'weather' })
    const extra = { signal: new AbortController().signal, requestId: 1 }
    expect(await guarded({ city: 'Rome' }, extra)).toEqual({ ...text('no'), isError: true })
    expect((await entriesOf(ledger)).at(-1)).toMatchObject({ outcome: { status: 'error' } })
  })
})

describe('guardToolCalls', () => {
  it('hands on the request with the arguments that were decided on; `_meta` is none of them', async () => {
    const { engine, ledger } = world()
    const seen: CallToolRequest[] = []
    const guarded = guardToolCalls(engine, async (request: CallToolRequest) => {
      seen.push(request)
      return text('ok')
    })
    const extra = { signal: new AbortController().signal, requestId: 'a' }
    const params = { name: 'weather', arguments: { city: 'Rome' }, _meta: { progressToken: 7 } }
    await guarded({ method: 'tools/call', params }, extra)
    await guarded({ method: 'tools/call', params: { name: 'time' } }, extra)
    expect(seen[0]?.params).toEqual(params)
    expect(seen[0]?.params.arguments).not.toBe(params.arguments)
    expect((await entriesOf(ledger))[0]).toMatchObject({
      action: 'weather',
      parameters: { kwargs: { city: 'Rome' } },
      metadata: { tool_call_id: 'a' },
    })
  })
})
