import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js'
import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { CallToolRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { guardTool, guardToolCalls } from '@sudoagent/adapters/mcp-server'
import { z } from 'zod'
import type { Framework, Turn } from '../scenario.js'

const info = { name: 'payments', version: '1.0.0' }
const contentOf = (text: string) => ({ content: [{ type: 'text' as const, text }] })

/** A host shows the result to its model unchanged. */
async function callAll({ calls, signal, context }: Turn, server: Server | McpServer): Promise<readonly unknown[]> {
  const client = new Client(info)
  const [near, far] = InMemoryTransport.createLinkedPair()
  await Promise.all([server.connect(far), client.connect(near)])
  try {
    const meta = context && { _meta: { traceparent: context.sudoagent.trace } }
    const one = (args: object) =>
      client.callTool({ name: 'refund', arguments: { ...args }, ...meta }, undefined, { signal })
    return await Promise.all(calls.map(one))
  } finally {
    await client.close()
  }
}

export const mcpServer: Framework = {
  name: 'MCP, McpServer',
  handsSignal: true,
  passes: 'trace',
  callId: '1',
  run: (turn) => {
    const server = new McpServer(info)
    const config = { description: 'Pays money back', inputSchema: { amount: z.number() } }
    const callback = guardTool(
      turn.engine,
      async (input: { amount: number }, { signal }: { signal: AbortSignal }) =>
        contentOf(await turn.refund(input, signal)),
      { ...turn.options, action: 'refund' },
    )
    server.registerTool('refund', config, callback)
    return callAll(turn, server)
  },
}

export const mcpLowLevel: Framework = {
  name: 'MCP, Server',
  handsSignal: true,
  passes: 'trace',
  callId: '1',
  run: (turn) => {
    const server = new Server(info, { capabilities: { tools: {} } })
    const handler = guardToolCalls(
      turn.engine,
      async ({ params }, { signal }) => {
        try {
          return contentOf(await turn.refund(params.arguments as { amount: number }, signal))
        } catch (error) {
          // A low-level server must report tool failures itself.
          return { ...contentOf((error as Error).message), isError: true }
        }
      },
      turn.options,
    )
    server.setRequestHandler(CallToolRequestSchema, handler)
    return callAll(turn, server)
  },
}
