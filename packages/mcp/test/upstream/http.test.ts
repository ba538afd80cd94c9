// Tests HTTP servers that misbehave, and checks the data that the guard sends to a server.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { HttpUpstream } from '../../src/upstream/http.js'
import { parseExact, stringifyExact } from '../../src/wire/exact-json.js'
import { startReference } from '../support/reference.js'
import { hello, type Json, Rig, TOOLS, textOf } from '../support/rig.js'

type Answer = (message: Json, response: ServerResponse, request: IncomingMessage) => void

/** Starts a session with a server that answers calls with `answer` and everything else normally. */
async function open(answer: Answer, token?: string) {
  const requests: { readonly headers: IncomingMessage['headers']; readonly method: string | undefined }[] = []
  const http = createServer(async (request, response) => {
    requests.push({ headers: request.headers, method: request.method })
    if (request.method !== 'POST') return response.writeHead(405).end()
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString()
    const message = { ...(JSON.parse(text) as Json), text }
    if (message.id === undefined) return response.writeHead(202).end()
    const json = (result: object): void =>
      void response
        .writeHead(200, { 'Content-Type': 'application/json', 'mcp-session-id': 's' })
        .end(JSON.stringify({ jsonrpc: '2.0', id: message.id, result }))
    if (message.method === 'initialize') return json(hello())
    if (message.method === 'tools/list') return json({ tools: TOOLS })
    return answer(message, response, request)
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  onTestFinished(() => void http.closeAllConnections())
  onTestFinished(() => void http.close())
  const url = new URL(`http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`)
  const rig = new Rig()
  rig.session = await rig.guard.open(rig.client, new HttpUpstream({ url, token }))
  onTestFinished(() => rig.guard.close())
  await rig.ask('initialize', { protocolVersion: '2025-11-25', capabilities: {} })
  return { rig, requests, http }
}
const stream = (response: ServerResponse): ServerResponse =>
  response.writeHead(200, { 'Content-Type': 'text/event-stream' })

describe('a server over HTTP', () => {
  it('is called, and hears that the session is over', async () => {
    const { rig, requests } = await open(({ id }, response) => {
      stream(response).end(
        `data: ${JSON.stringify({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text: 'so' }] } })}\n\n`,
      )
    })
    expect(textOf(await rig.callTool('read'))).toBe('so')
    await rig.client.close()
    await rig.session.closed
    expect(requests.at(-1)?.method).toBe('DELETE')
  })

  it('gets the guard’s token for it, and no other', async () => {
    const given = await open((_, response) => void response.writeHead(500).end(), 'the-token-for-the-server')
    const none = await open((_, response) => void response.writeHead(500).end())
    expect(given.requests.map(({ headers }) => headers.authorization)).toContain('Bearer the-token-for-the-server')
    expect(none.requests.every(({ headers }) => headers.authorization === undefined)).toBe(true)
  })

  it.each<[string, Answer]>([
    ['refuses', (_, response) => void response.writeHead(500).end('no')],
    ['ends its answer without a result', (_, response) => void stream(response).end(': nothing\n\n')],
    [
      'breaks off its answer',
      (_, response) => {
        stream(response).write('data: {')
        setTimeout(() => response.destroy(), 20)
      },
    ],
    [
      'sends an event of 17 MB',
      (_, response) => {
        stream(response)
        for (let n = 0; n < 17; n += 1) response.write(`data: ${'x'.repeat(1024 * 1024)}\n`)
      },
    ],
    [
      'sends a JSON of 17 MB',
      (_, response) => {
        response.writeHead(200, { 'Content-Type': 'application/json' })
        for (let n = 0; n < 17; n += 1) response.write('x'.repeat(1024 * 1024))
      },
    ],
    [
      'answers with a page',
      (_, response) => void response.writeHead(200, { 'Content-Type': 'text/html' }).end('<html>'),
    ],
    [
      'sends the client elsewhere',
      (_, response) => void response.writeHead(307, { Location: 'http://evil.example/mcp' }).end(),
    ],
  ])('that %s: the client is told, and the outcome is an error on record', async (_, answer) => {
    const { rig } = await open(answer)
    const result = await rig.callTool('read')
    expect(result.isError === true || result.error !== undefined).toBe(true)
    expect((await rig.story()).at(-1)).toMatch(/^error files\/read/)
    // The session is still usable.
    expect((await rig.ask('tools/list')).tools).toEqual(TOOLS)
  })

  it('may take its time: a stream with comments and parts of lines', async () => {
    const { rig } = await open(({ id }, response) => {
      const text = `: hello\r\n\r\nevent: message\r\ndata: ${JSON.stringify({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text: 'slow' }] } })}\r\n\r\n`
      stream(response)
      for (const part of text.match(/.{1,7}/gs) ?? []) response.write(part)
      setTimeout(() => response.end(), 100)
    })
    expect(textOf(await rig.callTool('read'))).toBe('slow')
  })

  const NUMBERS = '{"a":9007199254740993,"f":1.0,"list":[1e400,-0,{"n":0.10}],"text":"1.0 \\"2.0\\""}'
  it.each<[string, Answer]>([
    [
      'as JSON',
      ({ id }, response) =>
        void response
          .writeHead(200, { 'Content-Type': 'application/json; charset=utf-8' })
          .end(`{"jsonrpc":"2.0","id":${id},"result":{"content":[],"structuredContent":${NUMBERS}}}`),
    ],
    [
      'in a stream, on several lines and in small parts',
      ({ id }, response) => {
        const result = `{"content":[],\ndata: "structuredContent":${NUMBERS.replace(',"f"', ',\r\ndata:"f"')}}`
        stream(response)
        for (const part of `: hi\n\nid: 1\ndata: {"jsonrpc":"2.0","id":${id},"result":${result}}\n\n`.match(
          /.{1,5}/gs,
        ) ?? [])
          response.write(part)
        response.end()
      },
    ],
    [
      'with another message in front',
      ({ id }, response) => {
        const data = `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":${NUMBERS}}}`
        const answer = `{"jsonrpc":"2.0","id":${id},"result":{"content":[],"structuredContent":${NUMBERS}}}`
        stream(response).end(`event: message\ndata: ${data}\n\nevent: message\ndata: ${answer}\n\n`)
      },
    ],
  ])('has its numbers passed as it wrote them %s, and gets those of the client', async (_, answer) => {
    const bodies: string[] = []
    const { rig } = await open((message, response, request) => {
      bodies.push(message.text)
      answer(message, response, request)
    })
    const args = '{"id":725653563933458432,"deep":[{"f":1.0}]}'
    const result = await rig.callTool('read', parseExact(args, 9) as object, { _meta: parseExact('{"t":2.50}', 9) })
    expect(stringifyExact(result.structuredContent)).toBe(NUMBERS)
    expect(bodies[0]).toContain(`"arguments":${args},"_meta":{"t":2.50}`)
    for (const { params } of rig.client.got.filter(({ method }) => method === 'notifications/message'))
      expect(stringifyExact(params.data)).toBe(NUMBERS)
  })

  it('that nests too deep is not followed: the call fails, the session goes on', async () => {
    const deep = `${'['.repeat(5_000)}1.0${']'.repeat(5_000)}`
    for (const type of ['application/json', 'text/event-stream']) {
      const { rig } = await open(({ id }, response) => {
        const text = `{"jsonrpc":"2.0","id":${id},"result":{"content":[],"structuredContent":${deep}}}`
        response.writeHead(200, { 'Content-Type': type }).end(type.includes('json') ? text : `data: ${text}\n\n`)
      })
      const result = await rig.callTool('read')
      expect(result.isError === true || result.error !== undefined).toBe(true)
      expect((await rig.ask('tools/list')).tools).toEqual(TOOLS)
    }
  })

  it('that is real: a call with progress, and one that asks back', async () => {
    const rig = new Rig({ policy: { policyId: 'all', evaluate: () => ({ decision: 'allow', reason: 'all' }) } })
    rig.session = await rig.guard.open(rig.client, new HttpUpstream({ url: await startReference() }))
    onTestFinished(() => rig.guard.close())
    await rig.ask('initialize', {
      protocolVersion: '2025-11-25',
      capabilities: { sampling: {} },
      clientInfo: { name: 'c', version: '1' },
    })
    rig.client.say({ method: 'notifications/initialized' })
    expect(textOf(await rig.callTool('test_tool_with_progress', {}, { _meta: { progressToken: 'p' } }))).toBe('p')
    expect(rig.client.got.filter(({ method }) => method === 'notifications/progress')).toHaveLength(3)
    rig.client.answer = ({ method }) =>
      method === 'sampling/createMessage'
        ? { role: 'assistant', model: 'm', content: { type: 'text', text: 'indeed' } }
        : undefined
    expect(textOf(await rig.callTool('test_sampling', { prompt: 'p' }))).toBe('LLM response: indeed')
  })
})
