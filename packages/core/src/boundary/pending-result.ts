// Wraps results that are not complete when the function returns: generators, iterators, streams, responses with a body,
// and functions. Such a result does its work while it is read or called. The outcome of the guarded call is therefore
// recorded when the result has been read to the end or the returned function has ended, and only once.
import { finished } from 'node:stream'
import type { CallOutcome } from '../call/recorder.js'

/** The error for a call whose result was not read to the end. The message says whether reading had begun. */
export class UnreadResult extends Error {
  override readonly name = 'UnreadResult'
}

/** Records an outcome. Never rejects. Only the first call has an effect. */
type End = (outcome: CallOutcome) => Promise<void>

interface Ending {
  readonly end: End
  begun: boolean
}

/** Ends the call of a garbage-collected result, because such a result can no longer be read. */
const abandoned = new FinalizationRegistry<Ending>((ending) => void ending.end(unread(ending)))

function unread({ begun }: { readonly begun: boolean }): CallOutcome {
  const error = new UnreadResult(
    begun ? 'the result was not read to the end' : 'the result was never read, so its work did not begin',
  )
  return { status: 'error', error }
}

/**
 * Wraps a pending result. The wrapper is read or called like the original, and `record` is called once when the result
 * has ended. If the result is read to the end, the outcome is a success. The outcome is an error if the result throws,
 * is abandoned (`break`, `cancel`, `destroy`), or is garbage-collected before its end. A returned function ends when
 * its first call ends.
 *
 * @param record - records the outcome and handles its own failures
 * @returns null if the result is not pending, so that the call has already ended
 */
export function followPending(
  result: unknown,
  record: (outcome: CallOutcome) => Promise<unknown>,
): { readonly value: unknown } | null {
  let over: Promise<void> | null = null
  const ending: Ending = {
    begun: false,
    end: (outcome) => {
      over ??= record(outcome).then(
        () => {},
        () => {},
      )
      return over
    },
  }
  let value: unknown
  try {
    value = follow(result, ending)
  } catch {
    // An object that throws on property access is not a readable stream.
    return null
  }
  return value === undefined ? null : { value }
}

/** Ends the call when `value` is garbage-collected. */
function watch<T extends object>(value: T, ending: Ending): T {
  abandoned.register(value, ending)
  return value
}

/**
 * The wrapped results that are in the middle of a step or a call. The set prevents their garbage collection if no
 * other reference exists.
 */
const busy = new Set<object>()

/** @returns undefined if the result is not pending */
function follow(result: unknown, ending: Ending): unknown {
  if (typeof result === 'function') return followFunction(result as (...args: unknown[]) => unknown, ending)
  if (typeof result !== 'object' || result === null) return undefined
  if (result instanceof Response) return followResponse(result, ending)
  if (result instanceof ReadableStream) return followWebStream(result, ending)
  const { pipe, on } = result as { pipe?: unknown; on?: unknown }
  if (typeof pipe === 'function' && typeof on === 'function')
    return followNodeStream(result as NodeJS.ReadableStream, ending)
  return isLazy(result) ? followIterable(result, ending) : undefined
}

/**
 * Whether a result is lazy. Async iterables, iterators, and plain objects with their own iterator method are lazy.
 * Collections (arrays, maps and instances of other classes) are complete.
 */
function isLazy(result: object): boolean {
  const {
    next,
    [Symbol.asyncIterator]: async,
    [Symbol.iterator]: sync,
  } = result as Partial<AsyncGenerator & { [Symbol.iterator]: unknown }>
  if (typeof async === 'function') return true
  if (typeof sync !== 'function') return false
  const prototype: unknown = Object.getPrototypeOf(result)
  return typeof next === 'function' || prototype === Object.prototype || prototype === null
}

function followFunction(fn: (...args: unknown[]) => unknown, ending: Ending): unknown {
  const ended = (result: unknown): unknown => {
    busy.delete(followed)
    const pending = followPending(result, ending.end)
    if (pending !== null) return pending.value
    void ending.end({ status: 'success' })
    return result
  }
  const failed = (error: unknown): never => {
    busy.delete(followed)
    void ending.end({ status: 'error', error })
    throw error
  }
  const run = (call: () => unknown): unknown => {
    if (ending.begun) return call()
    ending.begun = true
    busy.add(followed)
    let result: unknown
    try {
      result = call()
    } catch (error) {
      return failed(error)
    }
    return isThenable(result) ? Promise.resolve(result).then(ended, failed) : ended(result)
  }
  const followed = new Proxy(fn, {
    apply: (target, self, args) => run(() => Reflect.apply(target, self, args)),
    construct: (target, args, newTarget) => run(() => Reflect.construct(target, args, newTarget)) as object,
  })
  return watch(followed, ending)
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}

function followNodeStream(stream: NodeJS.ReadableStream, ending: Ending): unknown {
  stream.once('resume', () => {
    ending.begun = true
  })
  finished(stream, (error) => {
    if (error == null) void ending.end({ status: 'success' })
    else if (error.code === 'ERR_STREAM_PREMATURE_CLOSE') void ending.end(unread(ending))
    else void ending.end({ status: 'error', error })
  })
  return watch(stream, ending)
}

function followWebStream<T>(source: ReadableStream<T>, ending: Ending): ReadableStream<T> {
  // A stream with an active reader is locked and cannot be wrapped.
  if (source.locked) throw new TypeError('locked')
  const bytes = isByteStream(source)
  let reader: ReadableStreamDefaultReader<T> | null = null
  const pull = async (controller: ReadableStreamDefaultController | ReadableByteStreamController): Promise<void> => {
    ending.begun = true
    try {
      reader ??= source.getReader()
      const step = await reader.read()
      if (!step.done) return controller.enqueue(step.value as never)
      await ending.end({ status: 'success' })
      controller.close()
      // A reader that supplied its own buffer waits for a response.
      ;(controller as { byobRequest?: { respond(bytes: number): void } | null }).byobRequest?.respond(0)
    } catch (error) {
      await ending.end({ status: 'error', error })
      throw error
    }
  }
  const cancel = async (reason: unknown): Promise<void> => {
    try {
      await (reader === null ? source.cancel(reason) : reader.cancel(reason))
    } finally {
      await ending.end(unread(ending))
    }
  }
  // The source is not read before the wrapper is read.
  const followed = bytes
    ? new ReadableStream({ type: 'bytes', pull, cancel })
    : new ReadableStream({ pull, cancel }, { highWaterMark: 0 })
  return watch(followed, ending)
}

function isByteStream(source: ReadableStream<unknown>): boolean {
  try {
    source.getReader({ mode: 'byob' }).releaseLock()
    return true
  } catch {
    return false
  }
}

function followResponse(response: Response, ending: Ending): Response | undefined {
  if (response.body === null || response.bodyUsed) return undefined
  const { status, statusText, headers, url, redirected, type } = response
  const followed = new Response(followWebStream(response.body, ending), { status, statusText, headers })
  // The constructor does not accept these properties.
  for (const [name, value] of Object.entries({ url, redirected, type }))
    Object.defineProperty(followed, name, { value })
  return followed
}

const STEPS = ['next', 'return', 'throw'] as const

/**
 * @param whole - for an iterator, the iterable that created it; the iterable must not be garbage-collected while the
 * iterator is in use
 */
function followIterable(iterable: object, ending: Ending, whole: object | null = null): unknown {
  const handler: ProxyHandler<object> & { readonly whole: object | null } = {
    whole,
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target)
      if (typeof value !== 'function') return value
      if (key === Symbol.asyncIterator || key === Symbol.iterator) {
        return (): unknown => {
          const iterator: unknown = Reflect.apply(value, target, [])
          if (iterator === target) return followed
          return typeof iterator === 'object' && iterator !== null
            ? followIterable(iterator, ending, followed)
            : iterator
        }
      }
      if ((STEPS as readonly unknown[]).includes(key)) {
        return (...args: unknown[]) => step(followed, () => Reflect.apply(value, target, args), key !== 'next', ending)
      }
      // Iterator helper methods such as `map` and `take` call `next` on their receiver, so they must receive the proxy.
      if (Reflect.get(ITERATOR_PROTOTYPE, key) === value) return value
      return value.bind(target)
    },
  }
  const followed: object = new Proxy(iterable, handler)
  return whole === null ? watch(followed, ending) : followed
}

const ITERATOR_PROTOTYPE: object = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()))

/**
 * Runs one step of a sync or async iterator. `leaves` is true for `return` and `throw`: `done` then means an early end.
 */
function step(followed: object, take: () => unknown, leaves: boolean, ending: Ending): unknown {
  const { begun } = ending
  if (!leaves) ending.begun = true
  const outcomeOf = (result: unknown): CallOutcome | null => {
    if ((result as { done?: unknown } | null)?.done !== true) return null
    return leaves ? unread({ begun }) : { status: 'success' }
  }
  let result: unknown
  try {
    result = take()
  } catch (error) {
    void ending.end({ status: 'error', error })
    throw error
  }
  if (!isThenable(result)) {
    const outcome = outcomeOf(result)
    if (outcome !== null) void ending.end(outcome)
    return result
  }
  busy.add(followed)
  return Promise.resolve(result).then(
    async (settled) => {
      busy.delete(followed)
      const outcome = outcomeOf(settled)
      if (outcome !== null) await ending.end(outcome)
      return settled
    },
    async (error: unknown) => {
      busy.delete(followed)
      await ending.end({ status: 'error', error })
      throw error
    },
  )
}
