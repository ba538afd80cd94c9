// The guard over HTTP: who gets in, what a session is, and what a connection that is lost leaves behind.
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { MemoryApprovalStore } from '@sudoagent/core'
import { MemoryLedger } from '@sudoagent/ledger/memory'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Guard, type GuardOptions } from '../src/guard.js'
import { type ServeOptions, serveGuard } from '../src/http-server.js'
import { MemoryToolPins } from '../src/tool-pins.js'
import { hello, type Json, POLICY, RawSide, TOOLS, textOf } from './support/rig.js'

const TOKEN = 'a-token-of-some-length'

interface Served {
  readonly url: URL
  readonly servers: RawSide[]
  readonly store: MemoryApprovalStore
  readonly notes: string[]
}

async function serve(options: Partial<ServeOptions> = {}, guardOptions: Partial<GuardOptions> = {}): Promise<Served> {
  const store = new MemoryApprovalStore()
  const notes: string[] = []
  const onNote = (text: string): void => void notes.push(text)
  const guard = new Guard({
    server: 'files',
    policy: POLICY,
    ledger: new MemoryLedger(),
    approvalStore: store,
    agentId: 'agent',
    pins: new MemoryToolPins(),
    onNote,
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
  const server = await serveGuard({ guard, upstream, token: TOKEN, onNote, ...options })
  onTestFinished(async () => {
    await guard.close()
    await server.close()
  })
  return { url: new URL(server.url), servers, store, notes }
}

async function connect(url: URL, capabilities = {}): Promise<Client> {
  const client = new Client({ name: 'tester', version: '1' }, { capabilities })
  await client.connect(
    new StreamableHTTPClientTransport(url, { requestInit: { headers: { Authorization: `Bearer ${TOKEN}` } } }),
  )
  onTestFinished(() => client.close())
  return client
}

const HEADERS = {
  Authorization: `Bearer ${TOKEN}`,
  'Content-Type': 'application/json',
  Accept: 'application/json, text/event-stream',
}
const post = (url: URL, body: string | object, headers: object = {}, signal?: AbortSignal): Promise<Response> =>
  fetch(url, {
    method: 'POST',
    headers: { ...HEADERS, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...(signal === undefined ? {} : { signal }),
  })
const INITIALIZE = {
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
}
const open = async (url: URL): Promise<{ 'mcp-session-id': string }> => {
  const response = await post(url, INITIALIZE)
  await response.text()
  return { 'mcp-session-id': response.headers.get('mcp-session-id') ?? '' }
}
const call = (name: string, id: number, args = {}): object => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name, arguments: args },
})

describe('a client with the SDK', () => {
  it('calls, is asked, is denied', async () => {
    const { url } = await serve()
    const client = await connect(url, { elicitation: {} })
    client.setRequestHandler(ElicitRequestSchema, () => ({ action: 'accept', content: { decision: 'approve' } }))
    expect((await client.listTools()).tools).toEqual(TOOLS)
    expect(textOf(await client.callTool({ name: 'read' }))).toBe('server 1 ran read')
    expect(textOf(await client.callTool({ name: 'write' }))).toBe('server 1 ran write')
    expect((await client.callTool({ name: 'drop' })).isError).toBe(true)
  })

  it('ends its session, and the server with it', async () => {
    const { url, servers } = await serve()
    const client = await connect(url)
    await (client.transport as StreamableHTTPClientTransport).terminateSession()
    await expect.poll(() => servers[0]?.closed).toBe(true)
  })
})

describe('who gets in', () => {
  it.each<[string, object, number]>([
    ['no token', { Authorization: '' }, 401],
    ['another token', { Authorization: 'Bearer another-token-of-that-length' }, 401],
    ['the Origin of a web page', { Origin: 'https://evil.example' }, 403],
    ['no Accept', { Accept: 'text/html' }, 406],
    ['another content type', { 'Content-Type': 'text/plain' }, 415],
    ['a session that is none', { 'mcp-session-id': 'x' }, 404],
  ])('not with %s', async (_, headers, status) => {
    const { url, servers } = await serve()
    const response = await post(url, INITIALIZE, headers)
    expect(response.status).toBe(status)
    // Nothing was left running for a session that did not begin.
    await expect.poll(() => servers.every((server) => server.closed)).toBe(true)
  })

  it('not under a name that points here: DNS rebinding', async () => {
    const { url, servers } = await serve()
    const { request } = await import('node:http')
    const status = await new Promise((resolve) => {
      request(url, { method: 'POST', headers: { ...HEADERS, Host: 'evil.example' } }, (response) =>
        resolve(response.statusCode),
      ).end('{}')
    })
    expect(status).toBe(403)
    expect(servers).toEqual([])
  })

  it.each<[string, string, number, number]>([
    ['no JSON', '{', 400, -32700],
    ['a duplicate key', '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}', 400, -32700],
    ['a batch', '[{"jsonrpc":"2.0","id":1,"method":"ping"}]', 400, -32600],
    ['no message', '{"jsonrpc":"2.0"}', 400, -32600],
    ['a call before a session', JSON.stringify(call('read', 1)), 400, -32000],
  ])('not with %s', async (_, body, status, code) => {
    const { url, servers } = await serve()
    const response = await post(url, body)
    expect([response.status, ((await response.json()) as Json).error.code]).toEqual([status, code])
    expect(servers).toEqual([])
  })

  it('not with a body beyond the bound, declared or not', async () => {
    const { url } = await serve()
    const large = `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":"${'x'.repeat(4 * 1024 * 1024)}"}}`
    expect((await post(url, large)).status).toBe(413)
    const chunks = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(large))
        controller.close()
      },
    })
    const init = { method: 'POST', headers: HEADERS, body: chunks, duplex: 'half' }
    expect((await fetch(url, init as RequestInit)).status).toBe(413)
  })

  it('not without a token where others can connect', async () => {
    await expect(serve({ host: '0.0.0.0', token: null })).rejects.toThrow(TypeError)
    await expect(serve({ token: 'short' })).rejects.toThrow(TypeError)
  })

  it('not beyond the number of sessions', async () => {
    const { url } = await serve({ sessionsMax: 1 })
    await open(url)
    expect((await post(url, INITIALIZE)).status).toBe(503)
  })

  it('elsewhere than at /mcp there is nothing', async () => {
    const { url } = await serve()
    expect((await post(new URL('/', url), INITIALIZE)).status).toBe(404)
  })
})

describe('a session', () => {
  it('has a server of its own, and sees nothing of another', async () => {
    const { url, servers } = await serve()
    const [one, two] = [await connect(url), await connect(url)]
    expect(textOf(await one.callTool({ name: 'read' }))).toBe('server 1 ran read')
    expect(textOf(await two.callTool({ name: 'read' }))).toBe('server 2 ran read')
    expect(servers).toHaveLength(2)
  })

  it('the token of the client goes no further than the guard', async () => {
    const { url, servers } = await serve()
    await (await connect(url)).callTool({ name: 'read' })
    expect(JSON.stringify(servers[0]?.got)).not.toContain(TOKEN)
  })

  it('a second request under the id of an open one is refused: it would take its answer away', async () => {
    const { url, servers, store } = await serve()
    const session = await open(url)
    const first = post(url, call('write', 7), session)
    await expect.poll(async () => (await store.list({ state: 'pending' }, new Date())).length).toBe(1)
    expect((await post(url, call('read', 7), session)).status).toBe(400)
    expect(servers[0]?.got.filter(({ method }) => method === 'tools/call')).toEqual([])
    const [record] = await store.list({ state: 'pending' }, new Date())
    await store.resolve(record?.approvalId ?? '', { state: 'approved', approverId: 'ada' }, new Date())
    expect(await (await first).text()).toContain('ran write')
  })

  it('that nobody uses is ended', async () => {
    const { url, servers } = await serve({ sessionIdleMs: 1 })
    const session = await open(url)
    await expect.poll(() => servers[0]?.closed).toBe(true)
    expect((await post(url, call('read', 1), session)).status).toBe(404)
  })

  it('a connection that is lost while an approval is open: nothing runs until the client asks again', async () => {
    const { url, servers, store } = await serve()
    const session = await open(url)
    const gone = new AbortController()
    const lost = post(url, call('write', 1, { a: 1 }), session, gone.signal)
    await expect.poll(async () => (await store.list({ state: 'pending' }, new Date())).length).toBe(1)
    gone.abort()
    await lost.then((response) => response.text()).catch(() => {})
    await new Promise((resolve) => setTimeout(resolve, 50))
    const [record] = await store.list({ state: 'pending' }, new Date())
    await store.resolve(record?.approvalId ?? '', { state: 'approved', approverId: 'ada' }, new Date())
    await new Promise((resolve) => setTimeout(resolve, 400))
    const ran = (): number => servers[0]?.got.filter(({ method }) => method === 'tools/call').length ?? 0
    expect(ran()).toBe(0)
    expect(await (await post(url, call('write', 2, { a: 1 }), session)).text()).toContain('ran write')
    expect(ran()).toBe(1)
  })

  it('a call that is cancelled ends its stream', async () => {
    const { url, store } = await serve()
    const session = await open(url)
    const cancelled = post(url, call('write', 1), session)
    await expect.poll(async () => (await store.list({ state: 'pending' }, new Date())).length).toBe(1)
    await post(url, { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } }, session)
    expect(await (await cancelled).text()).not.toContain('result')
  })

  it('a server that cannot be started is told, and leaves no session', async () => {
    const upstream = (): RawSide => {
      const side = new RawSide()
      side.start = () => Promise.reject(new Error('no such command'))
      return side
    }
    const { url, notes } = await serve({ upstream })
    expect((await post(url, INITIALIZE)).status).toBe(502)
    expect(notes.join()).toContain('no such command')
  })

  it('a client that does not read is not given more than it takes', async () => {
    const { url, servers } = await serve()
    const session = await open(url)
    const stream = await fetch(url, { headers: { ...HEADERS, ...session, Accept: 'text/event-stream' } })
    onTestFinished(() => stream.body?.cancel())
    const [server] = servers
    let paused = 0
    if (server !== undefined)
      Object.assign(server, {
        pause: () => {
          paused += 1
        },
      })
    const data = 'x'.repeat(1024 * 1024)
    for (let n = 0; n < 64 && paused === 0; n += 1) {
      server?.say({ method: 'notifications/resources/updated', params: { data } })
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    expect(paused).toBe(1)
  })
})
