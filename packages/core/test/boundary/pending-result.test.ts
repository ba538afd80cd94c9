// Tests calls that produce their result while the caller reads the result. The outcome is recorded once, after the end
// of the result. Over 300 lines because it is one table of result types.
import { once } from 'node:events'
import { PassThrough, Readable, Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { OutcomeBlock } from '@sudoagent/ledger/entry'
import { describe, expect, test } from 'vitest'
import { ALLOW, boundary } from '../fixtures/boundary.js'

type Outcome = Pick<OutcomeBlock, 'status' | 'error_type' | 'error'>
const SUCCESS = { status: 'success', error_type: null, error: null } as const
const THREW = { status: 'error', error_type: 'RangeError', error: 'boom' } as const
const LEFT = { status: 'error', error_type: 'UnreadResult', error: 'the result was not read to the end' } as const
const UNREAD = {
  status: 'error',
  error_type: 'UnreadResult',
  error: 'the result was never read, so its work did not begin',
} as const

const boom = (): never => {
  throw new RangeError('boom')
}

/**
 * Makes one call and returns its outcome. Expects no outcome in the ledger before `use`, and exactly one outcome
 * afterwards.
 */
async function outcomeOf<R>(fn: () => R, use: (result: Awaited<R>) => unknown, atOnce?: 'at once'): Promise<Outcome> {
  const b = boundary(ALLOW)
  const result = await b.engine.execute(fn, [] as never, { action: 'tool' })
  expect((await b.entries()).length).toBe(atOnce === undefined ? 1 : 2)
  await use(result as Awaited<R>)
  for (let i = 0; i < 200 && (await b.entries()).length < 2; i += 1) await sleep(5)
  await sleep(5)
  const entries = await b.entries()
  expect(entries.map(({ event }) => event)).toEqual(['decision', 'outcome'])
  expect(await b.report()).toMatchObject({ ok: true })
  const { status, error_type, error } = entries[1]?.outcome ?? ({} as OutcomeBlock)
  return { status, error_type, error }
}

async function readAll(result: AsyncIterable<unknown> | Iterable<unknown>): Promise<unknown[]> {
  const read: unknown[] = []
  for await (const one of result) read.push(one)
  return read
}
const readFailing = (result: AsyncIterable<unknown> | Iterable<unknown>): Promise<void> =>
  expect(readAll(result)).rejects.toThrow('boom')
async function readOne(result: AsyncIterable<unknown> | Iterable<unknown>): Promise<void> {
  for await (const _ of result) break
}

async function* steps(): AsyncGenerator<number, string> {
  yield 1
  yield 2
  return 'end'
}
async function* failing(): AsyncGenerator<number> {
  yield 1
  boom()
}
function* syncSteps(): Generator<number> {
  yield 1
  yield 2
}
function* syncFailing(): Generator<number> {
  yield 1
  boom()
}
const webStream = (last: () => void = () => {}): ReadableStream<string> => {
  let n = 0
  return new ReadableStream({
    pull(controller) {
      n += 1
      if (n < 3) return controller.enqueue(`part ${n}`)
      last()
      controller.close()
    },
  })
}
class Plain {}
class Lazy {
  readonly #from: () => AsyncGenerator<number>
  constructor(from: () => AsyncGenerator<number>) {
    this.#from = from
  }
  [Symbol.asyncIterator](): AsyncGenerator<number> {
    return this.#from()
  }
}

// biome-ignore lint/suspicious/noExplicitAny: each row has a different result type
type Row = readonly [string, () => any, (result: any) => unknown, Outcome]

describe('a pending result', () => {
  test.each<Row>([
    ['an async generator, read to its end', steps, async (r) => expect(await readAll(r)).toEqual([1, 2]), SUCCESS],
    ['an async generator that throws', failing, readFailing, THREW],
    ['an async generator that is left', steps, readOne, LEFT],
    ['an async generator that is given up before it began', steps, (r) => r.return(), UNREAD],
    [
      'an async generator that is thrown into',
      steps,
      (r) => expect(r.throw(new RangeError('boom'))).rejects.toThrow(),
      THREW,
    ],
    [
      'an async generator that goes on after `return`',
      async function* () {
        try {
          yield 1
        } finally {
          yield 2
        }
      },
      async (r) => {
        await r.next()
        expect(await r.return('x')).toEqual({ done: false, value: 2 })
        expect(await r.next()).toEqual({ done: true, value: 'x' })
      },
      SUCCESS,
    ],
    [
      'an async generator, read by hand',
      steps,
      async (r) => {
        expect([await r.next(), await r.next(), await r.next()]).toEqual([
          { done: false, value: 1 },
          { done: false, value: 2 },
          { done: true, value: 'end' },
        ])
        expect(await r.next()).toEqual({ done: true, value: undefined })
      },
      SUCCESS,
    ],
    ['a sync generator', syncSteps, (r) => expect([...r]).toEqual([1, 2]), SUCCESS],
    ['a sync generator that throws', syncFailing, (r) => expect(() => [...r]).toThrow('boom'), THREW],
    [
      'a sync generator that is left',
      syncSteps,
      (r) => {
        for (const _ of r) break
      },
      LEFT,
    ],
    ['a promise of a generator', async () => syncSteps(), (r) => expect(Array.from(r)).toEqual([1, 2]), SUCCESS],
    ['an iterator of an array', () => [1, 2].values(), (r) => expect([...r]).toEqual([1, 2]), SUCCESS],
    [
      'a plain object that iterates',
      () => ({
        *[Symbol.iterator]() {
          yield 1
          boom()
        },
      }),
      (r) => expect(() => [...r]).toThrow(),
      THREW,
    ],
    [
      'an async iterable with private fields',
      () => new Lazy(steps),
      async (r) => expect(await readAll(r)).toEqual([1, 2]),
      SUCCESS,
    ],
    ['an async iterable that throws', () => new Lazy(failing), readFailing, THREW],
    ['a web stream', () => webStream(), async (r) => expect(await readAll(r)).toEqual(['part 1', 'part 2']), SUCCESS],
    ['a web stream that fails', () => webStream(boom), readFailing, THREW],
    ['a web stream that is cancelled', () => webStream(), (r) => r.cancel(), UNREAD],
    ['a web stream that is left', () => webStream(), readOne, LEFT],
    [
      'a web stream, piped through another',
      () => webStream(),
      async (r) => {
        expect(await readAll(r.pipeThrough(new TransformStream()))).toEqual(['part 1', 'part 2'])
      },
      SUCCESS,
    ],
    [
      'a byte stream, read into a buffer',
      () => new Response('abc').body,
      async (r) => {
        const reader = r.getReader({ mode: 'byob' })
        expect(Buffer.from((await reader.read(new Uint8Array(8))).value).toString()).toBe('abc')
        expect((await reader.read(new Uint8Array(8))).done).toBe(true)
      },
      SUCCESS,
    ],
    [
      'a response',
      () => Response.json({ a: 1 }, { status: 201, headers: { x: 'y' } }),
      async (r: Response) => {
        expect(r).toBeInstanceOf(Response)
        expect([r.status, r.headers.get('x'), r.headers.get('content-type')]).toEqual([201, 'y', 'application/json'])
        expect(await r.json()).toEqual({ a: 1 })
      },
      SUCCESS,
    ],
    [
      'a response whose body fails',
      () => new Response(webStream(boom).pipeThrough(new TextEncoderStream())),
      (r) => expect(r.text()).rejects.toThrow(),
      THREW,
    ],
    [
      'a Node stream',
      () => Readable.from(['a', 'b']),
      async (r) => expect(await readAll(r)).toEqual(['a', 'b']),
      SUCCESS,
    ],
    ['a Node stream that fails', () => Readable.from(failing()), readFailing, THREW],
    ['a Node stream that is destroyed', () => Readable.from(['a', 'b']), (r) => r.destroy(), UNREAD],
    [
      'a Node stream, piped',
      () => Readable.from(['a']),
      async (r) => once(r.pipe(new PassThrough().resume()), 'end'),
      SUCCESS,
    ],
    [
      'a stream that is written to',
      () => new Writable({ write: (_c, _e, done) => done() }),
      (r) => r.end('x'),
      SUCCESS,
    ],
    ['a function', () => () => 5, (r) => expect(r()).toBe(5), SUCCESS],
    ['a function that throws', () => boom, (r) => expect(r).toThrow('boom'), THREW],
    ['an async function that rejects', () => async () => boom(), (r) => expect(r()).rejects.toThrow('boom'), THREW],
    ['a function that is called twice', () => () => 5, (r) => expect([r(), r()]).toEqual([5, 5]), SUCCESS],
    ['a class', () => Plain, (r) => expect(new r()).toBeInstanceOf(Plain), SUCCESS],
    ['a function that returns a generator', () => () => failing(), (r) => readFailing(r()), THREW],
    ['a function that returns a function', () => () => boom, (r) => expect(r()).toThrow('boom'), THREW],
  ])('%s', async (_, fn, use, outcome) => expect(await outcomeOf(fn, use)).toEqual(outcome))

  test('works in a guarded function, with its own `this` and arguments, once an iteration', async () => {
    const b = boundary(ALLOW)
    let runs = 0
    const count = b.engine.guard(async function* count(to: number) {
      runs += 1
      for (let n = 0; n < to; n += 1) yield n
    })
    const counted = await count(3)
    expect(runs).toBe(0)
    expect(await readAll(counted)).toEqual([0, 1, 2])
    expect(runs).toBe(1)
    expect((await b.entries()).map(({ outcome }) => outcome?.status)).toEqual([undefined, 'success'])
  })

  test('that is never read is on record when it is collected as garbage', async () => {
    setFlagsFromString('--expose-gc')
    const gc = runInNewContext('gc') as () => void
    for (const make of [steps, syncSteps, () => webStream(), () => () => 5, () => new Lazy(steps)] as const) {
      const use = async (): Promise<void> => {
        await sleep(10)
        for (let i = 0; i < 5; i += 1) {
          gc()
          await sleep(5)
        }
      }
      const b = boundary(ALLOW)
      await b.engine.execute(make as () => unknown, [] as never, { action: 'tool' })
      await use()
      expect((await b.entries())[1]?.outcome, String(make)).toMatchObject({ ...UNREAD })
    }
  })

  test('in the middle of a step is not garbage', async () => {
    setFlagsFromString('--expose-gc')
    const gc = runInNewContext('gc') as () => void
    const b = boundary(ALLOW)
    const slow = async (): Promise<void> => {
      const f = (await b.engine.execute(() => () => sleep(60), [] as never, { action: 'tool' })) as () => Promise<void>
      void f()
    }
    await slow()
    for (let i = 0; i < 6; i += 1) {
      gc()
      await sleep(20)
    }
    expect((await b.entries())[1]?.outcome).toMatchObject(SUCCESS)
  })
})

describe('a result that is there', () => {
  test.each<readonly [string, () => unknown]>([
    ['an array', () => [1, 2]],
    ['a map', () => new Map([[1, 2]])],
    ['a text', () => 'text'],
    ['bytes', () => new Uint8Array(3)],
    ['a collection of a class', () => new URLSearchParams('a=1')],
    ['nothing', () => undefined],
    ['a response without a body', () => new Response(null, { status: 204 })],
    [
      'an object that throws when it is looked at',
      () => new Proxy({}, { get: (_, key) => (key === 'then' ? undefined : boom()) }),
    ],
  ])('%s is handed on as it is, and on record at once', async (_, make) => {
    const made = make()
    await outcomeOf(
      () => made,
      (result) => expect(result === made).toBe(true),
      'at once',
    )
  })
})

describe('recordResult', () => {
  test('is for frameworks that run the tool themselves', async () => {
    const b = boundary(ALLOW)
    const authorization = await b.engine.authorize({ action: 'tool' })
    if (authorization.status !== 'allowed') throw new Error('denied')
    expect(await readAll(await b.engine.recordResult(authorization, steps()))).toEqual([1, 2])
    expect((await b.entries())[1]?.outcome?.status).toBe('success')
    await expect(b.engine.recordResult(authorization, steps())).rejects.toThrow(TypeError)
    await expect(b.engine.recordResult({ ...authorization }, 5)).rejects.toThrow(TypeError)
  })
})
