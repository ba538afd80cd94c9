import { describe, expect, test } from 'vitest'
import { endpointOf, post } from '../src/post.js'
import { codeOf } from './fixtures/errors.js'

test('an endpoint is below its prefix, whatever that ends in', () => {
  for (const [prefix, endpoint] of [
    ['https://w.example', 'https://w.example/add-checkpoint'],
    ['https://w.example/', 'https://w.example/add-checkpoint'],
    ['HTTPS://W.example:8443/a/b//', 'https://w.example:8443/a/b/add-checkpoint'],
    ['http://[::1]:80/x y', 'http://[::1]/x%20y/add-checkpoint'],
  ] as const) {
    expect(endpointOf(prefix, 'add-checkpoint').href).toBe(endpoint)
  }
})

describe('post', () => {
  const url = new URL('http://w.test/add-checkpoint')
  const answering = (response: () => Response) => ({
    timeoutMs: 1000,
    fetch: (async () => response()) as unknown as typeof globalThis.fetch,
  })

  test('gives back status, type and bytes', async () => {
    const headers = { 'Content-Type': ' Text/X ; charset=utf-8' }
    const reply = await post(
      url,
      'x',
      answering(() => new Response('body', { status: 418, headers })),
    )
    expect({ ...reply, body: Buffer.from(reply.body).toString() }).toEqual({
      status: 418,
      contentType: 'text/x',
      body: 'body',
    })
    const bare = await post(
      url,
      'x',
      answering(() => new Response(null, { status: 204 })),
    )
    expect([bare.contentType, bare.body.length]).toEqual(['', 0])
  })

  test('reads no more than it must of an endless body', async () => {
    let pulled = 0
    let cancelled = false
    const body = new ReadableStream({
      pull: (controller) => {
        pulled += 1
        controller.enqueue(new Uint8Array(64 * 1024))
      },
      cancel: () => {
        cancelled = true
      },
    })
    expect(
      await codeOf(() =>
        post(
          url,
          'x',
          answering(() => new Response(body)),
        ),
      ),
    ).toBe('WITNESS_ANSWER_INVALID')
    expect(pulled).toBeLessThan(8)
    expect(cancelled).toBe(true)
  })

  test('throws for a time that is none', async () => {
    const options = { ...answering(() => new Response()), timeoutMs: Number.NaN }
    await expect(post(url, 'x', options)).rejects.toThrow(RangeError)
  })
})
