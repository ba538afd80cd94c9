// pass-through.mjs <command> [args…]: a proxy that only forwards messages, with the SDK's transports on both sides.
import { StdioClientTransport } from '../../packages/mcp/node_modules/@modelcontextprotocol/sdk/dist/esm/client/stdio.js'
import { StdioServerTransport } from '../../packages/mcp/node_modules/@modelcontextprotocol/sdk/dist/esm/server/stdio.js'

const [, , command, ...args] = process.argv
const client = new StdioServerTransport()
const server = new StdioClientTransport({ command, args })
client.onmessage = (message) => void server.send(message)
server.onmessage = (message) => void client.send(message)
server.onclose = () => process.exit(0)
process.stdin.on('end', () => void server.close())
await server.start()
await client.start()
