// Tests which of many clients get an HTTP session, and how the guard answers a client that uses a different protocol
// version.
import { once } from 'node:events'
import { createConnection } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Json } from '../support/rig.js'
import { call, HEADERS, INITIALIZE, open, post, serve } from '../support/served.js'

describe('a session is given', () => {
  it('not beyond the number of sessions, where all of them are in use', async () => {
    const { url } = await serve({ maxSessions: 1 })
    const session = await open(url)
    const stream = await fetch(url, { headers: { ...HEADERS, ...session } })
    onTestFinished(() => stream.body?.cancel())
    expect((await post(url, INITIALIZE)).status).toBe(503)
  })

  it('beyond the number of sessions where one is idle: that which was idle longest ends', async () => {
    const { url, servers, notes } = await serve({ maxSessions: 3 })
    const sessions = [await open(url), await open(url), await open(url)]
    await new Promise((resolve) => setTimeout(resolve, 5))
    await (await post(url, call('read', 1), sessions[0])).text()
    // The older sessions stay open, because clients that crash do not send DELETE.
    const newer = await open(url)
    expect((await post(url, call('read', 2), sessions[0])).status).toBe(200)
    expect((await post(url, call('read', 2), sessions[1])).status).toBe(404)
    expect((await post(url, call('read', 2), sessions[2])).status).toBe(200)
    expect((await post(url, call('read', 2), newer)).status).toBe(200)
    expect(servers.map(({ closed }) => closed)).toEqual([false, true, false, false])
    expect(notes.join()).toContain('idle longest')
  })

  it('33 clients that end without a word: the 33rd gets its session', async () => {
    const { url } = await serve()
    for (let n = 0; n < 32; n += 1) await open(url)
    expect(await (await post(url, call('read', 1), await open(url))).text()).toContain('ran read')
  })

  it.each<[string, object, object]>([
    ['in its header', { 'mcp-protocol-version': '2026-07-28' }, call('read', 1)],
    [
      'in its request',
      {},
      {
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/list',
        params: { _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } },
      },
    ],
    ['to look what is spoken', {}, { jsonrpc: '2.0', id: 1, method: 'server/discover', params: {} }],
  ])('not with another version of MCP %s: it is told which are spoken', async (_, headers, message) => {
    const { url, servers } = await serve()
    const response = await post(url, message, headers)
    expect(response.status).toBe(400)
    const { id, error } = (await response.json()) as Json
    expect([id, error.code]).toEqual([1, -32_022])
    expect(error.data.supported).toContain('2025-11-25')
    expect(typeof error.data.requested).toBe('string')
    expect(servers).toEqual([])
    // A request within an open session gets the same answer.
    const again = await post(url, call('read', 1), { ...(await open(url)), 'mcp-protocol-version': '2026-07-28' })
    expect(((await again.json()) as Json).error.code).toBe(-32_022)
  })

  it('a client with the token, however many connections others hold open', async () => {
    const { url } = await serve()
    const idle = Array.from({ length: 300 }, () =>
      createConnection(Number(url.port), '127.0.0.1').on('error', () => {}),
    )
    onTestFinished(() => {
      for (const socket of idle) socket.destroy()
    })
    await Promise.all(idle.map((socket) => once(socket, 'connect')))
    // Some of the idle connections have sent only part of a request.
    for (const socket of idle.slice(200)) socket.write('POST /mcp HTTP/1.1\r\nHost: x')
    expect(await (await post(url, call('read', 1), await open(url))).text()).toContain('ran read')
    expect(idle.filter(({ destroyed }) => !destroyed).length).toBeLessThanOrEqual(33)
  })
})
