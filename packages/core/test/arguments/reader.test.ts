import { describe, expect, it } from 'vitest'
import { processorTime } from '../../../crypto/test/fixtures/processor-time.js'
import { SnapshotError } from '../../src/arguments/error.js'
import { takeSnapshot } from '../../src/arguments/snapshot.js'
import { ARGUMENT_LIMITS, BIGINT_BITS_MAX } from '../../src/limits.js'

function refusal(...args: readonly unknown[]): SnapshotError {
  try {
    takeSnapshot(args)
  } catch (error) {
    if (error instanceof SnapshotError) return error
    throw error
  }
  throw new Error('the value was not refused')
}

function nested(depth: number, wrap: (inner: unknown) => unknown): unknown {
  let value: unknown = 'core'
  for (let level = 0; level < depth; level++) value = wrap(value)
  return value
}

describe('values that are refused', () => {
  const { port1 } = new MessageChannel()
  const detached = new Uint8Array(8)
  port1.postMessage(null, [detached.buffer])
  port1.close()
  const revoked = (target: object): object => {
    const { proxy, revoke } = Proxy.revocable(target, {})
    revoke()
    return proxy
  }
  const cycle: Record<string, unknown> = {}
  cycle.self = { cycle }
  const ring = new Map<string, unknown>()
  ring.set('me', [ring])

  it.each<[string, unknown, string]>([
    ['NaN', { amount: Number.NaN }, 'args[0].amount'],
    ['Infinity', [1, Number.POSITIVE_INFINITY], 'args[0][1]'],
    ['-Infinity', Number.NEGATIVE_INFINITY, 'args[0]'],
    ['an invalid Date', { at: new Date(Number.NaN) }, 'args[0].at'],
    ['a lone surrogate', { text: 'a\ud800' }, 'args[0].text'],
    ['a lone surrogate in a key', { '\udc00': 1 }, 'args[0][…]'],
    ['a cycle', cycle, 'args[0].self.cycle'],
    ['a cycle through a Map', ring, 'args[0][0][0]'],
    ['a revoked proxy of an object', { a: revoked({}) }, 'args[0].a'],
    ['a revoked proxy of an array', revoked([]), 'args[0]'],
    ['a detached typed array', detached, 'args[0]'],
    ['a detached buffer', detached.buffer, 'args[0]'],
    ['a huge bigint', -(1n << BigInt(BIGINT_BITS_MAX)), 'args[0]'],
    ['NaN in a Set', new Set([Number.NaN]), 'args[0][0]'],
    ['NaN as a key of a Map', new Map([[Number.NaN, 1]]), 'args[0][0]'],
  ])('%s', (_, value, path) => {
    expect(refusal(value)).toMatchObject({ code: 'PARAMETERS_INVALID', path, name: 'SnapshotError' })
  })

  it('says which argument, and shows no key that is long, odd or secret', () => {
    expect(refusal(1, { a: { b: [0, Number.NaN] } }).path).toBe('args[1].a.b[1]')
    for (const key of ['ghp_abc123', 'x'.repeat(41), 'a b', '\u001b[2J', '__proto__ ', '']) {
      expect(refusal({ [key]: Number.NaN }).path).toBe('args[0][…]')
    }
  })
})

describe('foreign code that throws', () => {
  const thrown = new Error('secret sk-test-123')
  const explode = (): never => {
    throw thrown
  }

  it.each<[string, unknown, string]>([
    [
      'a getter',
      {
        get amount() {
          return explode()
        },
      },
      'args[0].amount',
    ],
    ['a get trap', new Proxy({ a: 1 }, { get: explode }), 'args[0].a'],
    ['an ownKeys trap', new Proxy({}, { ownKeys: explode }), 'args[0]'],
    ['a descriptor trap', new Proxy({ a: 1 }, { getOwnPropertyDescriptor: explode }), 'args[0].a'],
    ['a getPrototypeOf trap', new Proxy({}, { getPrototypeOf: explode }), 'args[0]'],
    ['an array trap', new Proxy([1], { get: explode }), 'args[0]'],
  ])('%s is refused, with what it threw as the cause only', (_, value, path) => {
    const error = refusal(value)
    expect(error).toMatchObject({ code: 'PARAMETERS_INVALID', path, cause: thrown })
    expect(error.message).not.toContain('sk-test-123')
  })

  it('holds for anything that can be thrown', () => {
    for (const anything of [undefined, null, 'text', Object.create(null)]) {
      const hostile = {
        get a() {
          throw anything
        },
      }
      expect(refusal(hostile)).toMatchObject({ code: 'PARAMETERS_INVALID', cause: anything })
    }
  })

  it('refuses a proxy that breaks the rules of the language', () => {
    const frozen = Object.freeze({ a: 1 })
    expect(refusal(new Proxy(frozen, { ownKeys: () => [] }))).toMatchObject({ code: 'PARAMETERS_INVALID' })
    expect(refusal(new Proxy(frozen, { get: () => 2 }))).toMatchObject({
      code: 'PARAMETERS_INVALID',
      path: 'args[0].a',
    })
  })
})

describe('limits', () => {
  const { maxDepth, maxNodes, maxStringLength, maxBinaryBytes } = ARGUMENT_LIMITS

  it.each<[string, (inner: unknown) => unknown]>([
    ['objects', (inner) => ({ inner })],
    ['arrays', (inner) => [inner]],
    ['maps', (inner) => new Map([['inner', inner]])],
    ['sets', (inner) => new Set([inner])],
  ])('depth of %s', (_, wrap) => {
    expect(takeSnapshot([nested(maxDepth, wrap)]).values).toHaveLength(1)
    expect(refusal(nested(maxDepth + 1, wrap)).message).toMatch(/deeper/)
  })

  it('depth of objects that a getter makes without end', () => {
    const endless = (): object => ({
      get next() {
        return endless()
      },
    })
    expect(refusal(endless()).path).toBe(`args[0]${'.next'.repeat(maxDepth)}`)
  })

  it('values, one for the object around them', () => {
    const zeros = (length: number) => Array.from({ length }, () => 0)
    expect(takeSnapshot([zeros(maxNodes - 1)]).values).toHaveLength(1)
    expect(refusal(zeros(maxNodes)).code).toBe('PARAMETERS_INVALID')
    expect(refusal(zeros(maxNodes / 2), zeros(maxNodes / 2)).code).toBe('PARAMETERS_INVALID')
    expect(refusal(Object.fromEntries(zeros(maxNodes).map((_, key) => [`k${key}`, 0]))).code).toBe('PARAMETERS_INVALID')
    // The reader refuses the map before it reads the entries.
    expect(refusal(new Map(zeros(maxNodes / 2).map((_, key) => [key, 0]))).path).toBe('args[0]')
    expect(refusal(new Set(zeros(maxNodes).map((_, key) => key))).path).toBe('args[0]')
  })

  it('counts a shared object each time it is met', () => {
    let value: unknown = [0]
    for (let level = 0; level < 20; level++) value = [value, value]
    expect(refusal(value).message).toMatch(/values/)
  })

  it('refuses a length that is claimed, before reading anything', () => {
    let reads = 0
    const claim = (length: unknown) =>
      new Proxy([] as unknown[], {
        get: (_, key) => {
          if (key === 'length') return length
          reads++
          return 0
        },
      })
    expect(refusal(new Array(2 ** 32 - 1)).code).toBe('PARAMETERS_INVALID')
    for (const length of [2 ** 32 - 1, -1, 1.5, Number.NaN, '3', undefined]) {
      expect(refusal(claim(length)).code).toBe('PARAMETERS_INVALID')
    }
    expect(reads).toBe(0)
  })

  it('text, keys included, over all arguments', () => {
    expect(takeSnapshot(['x'.repeat(maxStringLength)]).values).toHaveLength(1)
    expect(refusal('x'.repeat(maxStringLength + 1)).message).toMatch(/text/)
    expect(refusal('x'.repeat(maxStringLength), 'y').path).toBe('args[1]')
    expect(refusal({ ['k'.repeat(maxStringLength + 1)]: 1 }).code).toBe('PARAMETERS_INVALID')
    expect(refusal(new URL(`https://x/${'y'.repeat(maxStringLength)}`)).code).toBe('PARAMETERS_INVALID')
  })

  it('digits of very large numbers count as text', () => {
    const large = Array.from({ length: 1000 }, () => 1e300)
    expect(refusal(large).message).toMatch(/text/)
    expect(takeSnapshot([Array.from({ length: 1000 }, () => 1.5)]).values).toHaveLength(1)
    expect(takeSnapshot([(1n << BigInt(BIGINT_BITS_MAX)) - 1n]).values).toHaveLength(1)
  })

  it('binary data over all arguments', () => {
    expect(takeSnapshot([new Uint8Array(maxBinaryBytes)]).values).toHaveLength(1)
    expect(refusal(new ArrayBuffer(maxBinaryBytes), Buffer.alloc(1)).path).toBe('args[1]')
  })

  it('reads the largest arguments in well under a second', () => {
    const rows = Array.from({ length: 1_000 }, (_, id) => ({ id, name: `row ${id}`, a: 1, b: 2, c: 3, d: [4, 5] }))
    const took = processorTime()
    takeSnapshot([rows])
    expect(took()).toBeLessThan(1_000)
  })
})
