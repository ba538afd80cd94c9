// Tests the response to an HTTP request. The body of the response is either one JSON text or a stream.
import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { HttpAnswer } from '../../src/downstream/http-answer.js'
import { parseExact, stringifyExact } from '../../src/wire/exact-json.js'
import { type Json, TOOLS, textOf } from '../support/rig.js'
import { call, open, post, serve } from '../support/served.js'

describe('an answer', () => {
  it('is one JSON text where nothing came before it, of any size', async () => {
    const { url, servers } = await serve()
    const session = await open(url)
    const [server] = servers
    const text = 'x'.repeat(5 * 1024 * 1024)
    if (server !== undefined)
      server.answer = ({ method }) =>
        method === 'tools/list' ? { tools: TOOLS } : { content: [{ type: 'text', text }] }
    const response = await post(url, call('read', 1), session)
    expect(response.headers.get('content-type')).toBe('application/json')
    expect(textOf(((await response.json()) as Json).result)).toBe(text)
  })

  it('ends a stream where something came before it', async () => {
    const { url, servers } = await serve()
    const session = await open(url)
    const [server] = servers
    const usual = server?.answer ?? (() => undefined)
    if (server !== undefined)
      server.answer = (message) => {
        if (message.method === 'tools/call')
          server.say({ method: 'notifications/message', params: { level: 'info', data: 1 } })
        return usual(message)
      }
    const response = await post(url, call('read', 1), session)
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    const events = (await response.text()).split('\n').filter((line) => line.startsWith('data: '))
    expect(events.map((line) => JSON.parse(line.slice(6)).method ?? 'answer')).toEqual([
      'notifications/message',
      'answer',
    ])
  })

  it('that takes long is a stream with signs of life', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval'] })
    onTestFinished(() => void vi.useRealTimers())
    const chunks: string[] = []
    const response = Object.assign(new EventEmitter(), {
      headersSent: false,
      writeHead(_: number, headers: object) {
        response.headersSent = true
        chunks.push(JSON.stringify(headers))
        return response
      },
      flushHeaders: () => {},
      write: (chunk: string) => chunks.push(chunk),
      end: (chunk: string) => chunks.push(chunk),
    })
    const answer = new HttpAnswer(response as unknown as ServerResponse, { a: 'b' })
    vi.advanceTimersByTime(20_000)
    expect(chunks).toEqual([])
    vi.advanceTimersByTime(20_001)
    expect(chunks[0]).toContain('text/event-stream')
    expect(chunks[1]).toBe(': keepalive\n\n')
    answer.end('{}')
    expect(chunks.at(-1)).toBe('event: message\ndata: {}\n\n')
    vi.advanceTimersByTime(60_000)
    expect(chunks).toHaveLength(3)
  })

  it('has its numbers as the server wrote them, and so has a call', async () => {
    const { url, servers } = await serve()
    const session = await open(url)
    const [server] = servers
    const text = '{"a":9007199254740993,"f":1.0,"e":[1e400,-0]}'
    const usual = server?.answer ?? (() => undefined)
    if (server !== undefined)
      server.answer = (message) =>
        message.method === 'tools/call' ? { content: [], structuredContent: parseExact(text, 9) } : usual(message)
    const args = '{"id":725653563933458432,"f":1.0}'
    const body = `{"jsonrpc":"2.0","id":9007199254740993,"method":"tools/call","params":{"name":"read","arguments":${args}}}`
    const answer = await (await post(url, body, session)).text()
    expect(answer).toBe(`{"jsonrpc":"2.0","id":9007199254740993,"result":{"content":[],"structuredContent":${text}}}`)
    const sent = server?.got.find(({ method }) => method === 'tools/call')
    expect(stringifyExact(sent.params.arguments)).toBe(args)
  })
})
