// An MCP server that guards its own tools. A host shows the result to its model unchanged.
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { guardTool } from '@sudoagent/adapters/mcp-server'
import { CALLS, check, engine, payBack, refundSchema } from './refunds.js'

const server = new McpServer({ name: 'payments', version: '1.0.0' })
server.registerTool(
  'refund',
  { description: 'Pays money back', inputSchema: refundSchema.shape },
  guardTool(engine, async ({ amount }) => ({ content: [{ type: 'text', text: await payBack({ amount }) }] }), {
    action: 'refund',
  }),
)

const client = new Client({ name: 'host', version: '1.0.0' })
const [near, far] = InMemoryTransport.createLinkedPair()
await Promise.all([server.connect(far), client.connect(near)])
const results = await Promise.all(CALLS.map((input) => client.callTool({ name: 'refund', arguments: { ...input } })))
await client.close()
await check(results)
