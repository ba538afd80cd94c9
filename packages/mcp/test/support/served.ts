// Runs a guard over HTTP and creates clients for it. The test provides the answers of the servers.
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { MemoryApprovalStore } from '@sudoagent/core'
import { MemoryLedger } from '@sudoagent/ledger/memory'
import { onTestFinished } from 'vitest'
import { type ServeOptions, serveGuard } from '../../src/downstream/http-server.js'
import { MemoryToolPins } from '../../src/tool/tool-pins.js'
import { guardOf, type Setup } from './guard-of.js'
import { hello, POLICY, RawSide, TOOLS } from './rig.js'

export const TOKEN = 'a-token-of-some-length'

export interface Served {
  readonly url: URL
  readonly servers: RawSide[]
  readonly store: MemoryApprovalStore
  readonly notes: string[]
}

export async function serve(options: Partial<ServeOptions> = {}, guardOptions: Partial<Setup> = {}): Promise<Served> {
  const store = new MemoryApprovalStore()
  const notes: string[] = []
  const logger = (text: string): void => void notes.push(text)
  const guard = guardOf({
    server: 'files',
    policy: POLICY,
    ledger: new MemoryLedger(),
    approvalStore: store,
    agentId: 'agent',
    pass: ['resources'],
    pins: new MemoryToolPins(),
    logger,
    elicitation: true,
    ...guardOptions,
  })
  const servers: RawSide[] = []
  const upstream = (): RawSide => {
    const server = new RawSide()
    const number = servers.push(server)
    server.answer = ({ method, params }) => {
      if (method === 'initialize') return hello()
      if (method === 'tools/list') return { tools: TOOLS }
      if (method === 'tools/call') return { content: [{ type: 'text', text: `server ${number} ran ${params.name}` }] }
      return undefined
    }
    return server
  }
  const server = await serveGuard({ guard, upstream, token: TOKEN, logger, ...options })
  onTestFinished(async () => {
    await guard.close()
    await server.close()
  })
  return { url: new URL(server.url), servers, store, notes }
}

export async function connect(url: URL, capabilities = {}): Promise<Client> {
  const client = new Client({ name: 'tester', version: '1' }, { capabilities })
  await client.connect(
    new StreamableHTTPClientTransport(url, { requestInit: { headers: { Authorization: `Bearer ${TOKEN}` } } }),
  )
  onTestFinished(() => client.close())
  return client
}

export const HEADERS = {
  Authorization: `Bearer ${TOKEN}`,
  'Content-Type': 'application/json',
  Accept: 'application/json, text/event-stream',
}
export const post = (url: URL, body: string | object, headers: object = {}, signal?: AbortSignal): Promise<Response> =>
  fetch(url, {
    method: 'POST',
    headers: { ...HEADERS, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...(signal === undefined ? {} : { signal }),
  })
export const INITIALIZE = {
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
}
export const open = async (url: URL): Promise<{ 'mcp-session-id': string }> => {
  const response = await post(url, INITIALIZE)
  await response.text()
  return { 'mcp-session-id': response.headers.get('mcp-session-id') ?? '' }
}
export const call = (name: string, id: number, args = {}): object => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name, arguments: args },
})
