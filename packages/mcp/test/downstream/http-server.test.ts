// Tests the guard over HTTP: access, sessions, and lost connections.
import type { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type Json, RawSide, TOOLS, textOf } from '../support/rig.js'
import { call, connect, HEADERS, INITIALIZE, open, post, serve, TOKEN } from '../support/served.js'

describe('a client with the SDK', () => {
  it('calls, is asked, is denied', async () => {
    const { url } = await serve()
    const client = await connect(url, { elicitation: {} })
    client.setRequestHandler(ElicitRequestSchema, () => ({ action: 'accept', content: { decision: 'approve' } }))
    expect((await client.listTools()).tools).toEqual([...TOOLS, expect.objectContaining({ name: 'sudoagent_wait' })])
    expect(textOf(await client.callTool({ name: 'read' }))).toBe('server 1 ran read')
    expect(textOf(await client.callTool({ name: 'write' }))).toBe('server 1 ran write')
    expect((await client.callTool({ name: 'drop' })).isError).toBe(true)
  })

  it.each([
    ['a repeated call', (): object => ({ name: 'write', arguments: { password: 'one' } })],
    ['the waiting id', (id: string): object => ({ name: 'sudoagent_wait', arguments: { waiting_id: id, seconds: 0 } })],
  ])('picks up a pending call of another session, with %s', async (_, next) => {
    const { url, store } = await serve({}, { holdMs: 10 })
    const first = await connect(url)
    const pending: Json = await first.callTool({ name: 'write', arguments: { password: 'one' } })
    await (first.transport as StreamableHTTPClientTransport).terminateSession()
    const [asked] = await store.list({ state: 'pending' }, new Date())
    if (asked === undefined) return expect.unreachable()
    const { approvalId, binding } = asked
    await store.resolve(approvalId, { state: 'approved', approverId: 'ada', binding }, new Date())
    const second = await connect(url)
    const call = next(pending._meta['dev.sudoagent/pending'].id) as Parameters<typeof second.callTool>[0]
    expect(textOf(await second.callTool(call))).toBe('server 2 ran write')
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
    // If a session does not start, its server must not keep running.
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

  it.each<[string, string, number, unknown]>([
    ['a duplicate key', '{"jsonrpc":"2.0","id":7,"method":"ping","params":{"a":1,"a":2}}', 400, 7],
    ['half a character', '{"jsonrpc":"2.0","id":"x","method":"ping","params":{"a":"\\ud83d"}}', 400, 'x'],
    ['`params` of null', '{"jsonrpc":"2.0","id":31,"method":"tools/list","params":null}', 400, 31],
    ['a depth of 65', `{"id":7,"method":"x","params":${'['.repeat(65)}${']'.repeat(65)}}`, 400, 7],
    ['two ids', '{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}', 400, null],
    ['an answer', '{"jsonrpc":"2.0","id":1,"result":{"a":1,"a":2}}', 400, null],
    ['4 MiB, the id last', `{"method":"x","params":{"a":"${'x'.repeat(4 * 1024 * 1024)}"},"id":9}`, 413, 9],
  ])('not %s, in a session: it is answered under its id, and the session goes on', async (_, body, status, id) => {
    const { url } = await serve()
    const session = await open(url)
    const response = await post(url, body, session)
    const answer = (await response.json()) as Json
    expect([response.status, answer.id]).toEqual([status, id])
    expect(await (await post(url, call('read', 1), session)).text()).toContain('ran read')
  })

  it('not with a body beyond the bound, of whatever declared length', async () => {
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
    const response = await fetch(url, init as RequestInit)
    expect([response.status, ((await response.json()) as Json).id]).toEqual([413, 1])
    const { request } = await import('node:http')
    const status = await new Promise((resolve) => {
      // The request announces a body of one gigabyte that never arrives. The guard must respond without the body.
      const headers = { ...HEADERS, 'Content-Length': 1024 ** 3 }
      const sent = request(url, { method: 'POST', headers }, ({ statusCode }) => resolve(statusCode))
      sent.on('error', () => {}).write('{')
    })
    expect(status).toBe(413)
  })

  it('not without a token where others can connect', async () => {
    await expect(serve({ host: '0.0.0.0', token: null })).rejects.toThrow(TypeError)
    await expect(serve({ token: 'short' })).rejects.toThrow(TypeError)
  })

  it('under no other name where it is bound to all addresses: said at the start, and in the answer', async () => {
    const { url, notes } = await serve({ host: '0.0.0.0' })
    const response = await post(new URL(`http://127.0.0.1:${url.port}/mcp`), INITIALIZE)
    expect(response.status).toBe(403)
    expect(((await response.json()) as Json).error.message).toContain('--allow-host')
    expect(notes.join()).toContain('--allow-host')
    const named = await serve({ host: '0.0.0.0', allowHosts: ['guard.example'] })
    expect(named.notes).toEqual([])
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
      side.start = () => Promise.reject(new Error('command not found'))
      return side
    }
    const { url, notes } = await serve({ upstream })
    expect((await post(url, INITIALIZE)).status).toBe(502)
    expect(notes.join()).toContain('command not found')
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
