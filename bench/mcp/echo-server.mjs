// An MCP server with one tool, over stdio.
import { Server } from '../../packages/mcp/node_modules/@modelcontextprotocol/sdk/dist/esm/server/index.js'
import { StdioServerTransport } from '../../packages/mcp/node_modules/@modelcontextprotocol/sdk/dist/esm/server/stdio.js'
import {
  CallToolRequestSchema,
  ListToolsRequestSchema,
} from '../../packages/mcp/node_modules/@modelcontextprotocol/sdk/dist/esm/types.js'

const server = new Server({ name: 'echo', version: '1' }, { capabilities: { tools: {} } })
server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: [{ name: 'echo', inputSchema: { type: 'object' } }] }))
server.setRequestHandler(CallToolRequestSchema, ({ params }) => ({
  content: [{ type: 'text', text: String(params.arguments?.text) }],
}))
await server.connect(new StdioServerTransport())
