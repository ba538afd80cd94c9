import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { connect, type Socket } from 'node:net'
import { createCosignatureVerifier, openNote } from '@sudoagent/crypto/note'
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { SUBMISSION_BYTES_MAX } from '../src/add-checkpoint.js'
import { MemoryWitnessStore } from '../src/memory-store.js'
import { type ServeOptions, serveWitness, type WitnessServer } from '../src/server.js'
import { createWitness, type Witness } from '../src/witness.js'
import { codeOf } from './fixtures/errors.js'
import { bytesOf, signerOf, TestLog } from './fixtures/log.js'

const log = new TestLog()
let server: WitnessServer
let witness: Witness
let errors: unknown[] = []

beforeEach(async () => {
  errors = []
  const store = new MemoryWitnessStore()
  witness = createWitness({ name: 'witness.example/w1', signer: signerOf(4), logs: [log.key], store })
  server = await serve()
})
afterEach(() => server.close())

async function serve(options: Partial<ServeOptions> = {}): Promise<WitnessServer> {
  const made = await serveWitness({ witness, onError: (error) => errors.push(error), ...options })
  onTestFinished(() => made.close())
  return made
}

const post = (body: Uint8Array | string, path = '/add-checkpoint', init: RequestInit = {}): Promise<Response> =>
  fetch(server.url + path, { method: 'POST', body, ...init })

/** Sends raw bytes, and reads until the server closes the connection. */
async function raw(text: string, keepOpen = false): Promise<string> {
  const socket: Socket = connect(Number(new URL(server.url).port), '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  let answer = ''
  socket.on('data', (chunk) => {
    answer += chunk
  })
  socket.on('error', () => {})
  socket.write(text)
  if (!keepOpen) socket.end()
  await once(socket, 'close')
  return answer
}

describe('answers', () => {
  test('a request, on the loopback address, over one connection', async () => {
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    for (const [from, to] of [
      [0, 5],
      [5, 9],
    ] as const) {
      const response = await post(await log.request(from, to))
      expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/plain; charset=utf-8'])
      const note = (await log.checkpoint(to)) + (await response.text())
      expect(openNote(note, [createCosignatureVerifier(witness.key)]).verified).toHaveLength(1)
      expect(response.headers.get('connection')).toBe('keep-alive')
    }
  })

  test('every status of the witness, with its type', async () => {
    await post(await log.request(0, 5))
    const stranger = new TestLog({ seed: 9 })
    const unknown = new TestLog({ origin: 'other.example/log' })
    const wrong = Buffer.from(await log.request(5, 9))
      .toString()
      .replace(/\n[^\n]+/, '')
    const cases = [
      ['garbage', 400],
      [await stranger.request(5, 9), 403],
      [await unknown.request(0, 5), 404],
      [wrong, 422],
    ] as const
    for (const [body, status] of cases) {
      const response = await post(body)
      expect([response.status, response.headers.get('content-type')]).toEqual([status, 'text/plain; charset=utf-8'])
      expect(await response.text()).toMatch(/^[a-z`][^\n]*\n$/)
    }
    const conflict = await post(await log.request(0, 9))
    expect([conflict.status, conflict.headers.get('content-type')]).toEqual([409, 'text/x.tlog.size'])
    expect(await conflict.text()).toBe('5\n')
    expect(errors).toEqual([])
  })

  test('404 elsewhere, 405 to anything but POST', async () => {
    for (const path of [
      '/',
      '/healthz',
      '/add-checkpoint/',
      '/add-checkpoint?x',
      '//add-checkpoint',
      '/Add-checkpoint',
    ]) {
      expect((await post(await log.request(0, 5), path)).status).toBe(404)
    }
    for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS', 'HEAD']) {
      const response = await fetch(`${server.url}/add-checkpoint`, { method })
      expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST'])
    }
  })

  test('500 without a word of what happened, and tells its operator', async () => {
    await server.close()
    const failure = new Error('secret path /var/lib/witness')
    const failing: Witness = {
      key: witness.key,
      addCheckpoint: async () => {
        throw failure
      },
    }
    server = await serve({ witness: failing })
    const response = await post(await log.request(0, 5))
    expect([response.status, await response.text()]).toEqual([500, 'internal error\n'])
    expect(errors).toEqual([failure])
  })
})

describe('withstands', () => {
  test('a body that is too long, announced or not', async () => {
    const long = 'x'.repeat(SUBMISSION_BYTES_MAX + 1)
    expect((await post(long)).status).toBe(413)
    const stream = new ReadableStream({
      start(controller) {
        for (let i = 0; i < 8; i++) controller.enqueue(bytesOf(long.slice(0, SUBMISSION_BYTES_MAX / 4)))
        controller.close()
      },
    })
    expect((await post('', '/add-checkpoint', { body: stream, duplex: 'half' } as RequestInit)).status).toBe(413)
    expect((await post('x'.repeat(SUBMISSION_BYTES_MAX))).status).toBe(400)
    expect(
      await raw(`POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\nold`, true),
    ).toMatch(/^HTTP\/1\.1 413 /)
    expect(errors).toEqual([])
  })

  test('hostile bodies', async () => {
    const good = Buffer.from(await log.request(0, 5)).toString()
    const line = good.split('\n').at(-2) ?? ''
    for (const body of [
      good + `${line}\n`.repeat(100),
      good.replaceAll('\n', '\r\n'),
      good.replace('old', 'o\0ld'),
      '\n'.repeat(SUBMISSION_BYTES_MAX),
      `old 0\n\n${'\n\n'.repeat(100_000)}`,
      '— '.repeat(50_000),
    ]) {
      expect((await post(body)).status).toBe(400)
    }
    expect((await post(await log.request(0, 5))).status).toBe(200)
  })

  test('what is no HTTP', async () => {
    for (const text of [
      'hello\r\n\r\n',
      '\0\0\0\0',
      `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
      'POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      'POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n',
      'POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
    ]) {
      expect(await raw(text, true)).toMatch(/^HTTP\/1\.1 4\d\d /)
    }
    expect(errors).toEqual([])
  })

  test('a client that goes away in the middle', async () => {
    await raw('POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nold 0\n')
    expect((await post(await log.request(0, 5))).status).toBe(200)
    expect(errors).toEqual([])
  })

  test('a client that sends too slowly, in headers or body', async () => {
    await server.close()
    server = await serve({ requestTimeoutMs: 300 })
    const start = performance.now()
    const [headers, body] = await Promise.all([
      raw('POST /add-checkpoint HTTP/1.1\r\nHost: x\r\n', true),
      raw('POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nold 0\n', true),
    ])
    expect(headers).toMatch(/^HTTP\/1\.1 408 /)
    expect(body).toMatch(/^(?:HTTP\/1\.1 408 |$)/)
    expect(performance.now() - start).toBeLessThan(10_000)
    expect(errors).toEqual([])
  })
})

describe('closes', () => {
  test('after it has answered what it was asked, and only once', async () => {
    await server.close()
    let release = (): void => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const slow: Witness = { key: witness.key, addCheckpoint: (body) => held.then(() => witness.addCheckpoint(body)) }
    server = await serve({ witness: slow })
    const asked = httpRequest(`${server.url}/add-checkpoint`, { method: 'POST' })
    asked.end(await log.request(0, 5))
    const answered = once(asked, 'response')
    await once(asked, 'finish')
    // Gives the server time to receive the request.
    await new Promise((resolve) => setTimeout(resolve, 50))
    const closed = server.close()
    release()
    const [{ statusCode }] = (await answered) as [{ statusCode: number }]
    expect(statusCode).toBe(200)
    asked.destroy()
    await Promise.all([closed, server.close()])
    await expect(post('')).rejects.toThrow('fetch failed')
  })

  test('and a port that is taken is an error with a code', async () => {
    const { port } = new URL(server.url)
    expect(await codeOf(() => serve({ port: Number(port) }))).toBe('LISTEN_FAILED')
    expect(await codeOf(() => serve({ host: '203.0.113.1' }))).toBe('LISTEN_FAILED')
  })
})
