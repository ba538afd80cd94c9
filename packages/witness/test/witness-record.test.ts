// The order of things: on record first, then the cosignature; and of two at once, one.
import { encodeBase64 } from '@sudoagent/crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import { MemoryWitnessStore } from '../src/memory-store.js'
import type { WitnessStore } from '../src/store.js'
import { createWitness, type Witness, type WitnessAnswer } from '../src/witness.js'
import { ORIGIN, signerOf, TestLog } from './fixtures/log.js'

const log = new TestLog()
const fork = new TestLog({ forkAt: 3 })
let store: WitnessStore
let witness: Witness

beforeEach(() => {
  store = new MemoryWitnessStore()
  witness = make()
})

const make = (options: Partial<Parameters<typeof createWitness>[0]> = {}): Witness =>
  createWitness({ name: 'w', signer: signerOf(4), logs: [log.key], store, clock: () => 1_700_000_000, ...options })

const CONFLICT = (size: number): WitnessAnswer => ({ status: 409, contentType: 'text/x.tlog.size', body: `${size}\n` })

const statusOf = async (request: Uint8Array): Promise<number> => (await witness.addCheckpoint(request)).status

describe('puts on record before it answers', () => {
  test('so that nothing is cosigned when that fails', async () => {
    let signed = 0
    const signer = signerOf(4)
    const broken: WitnessStore = {
      read: async () => null,
      swap: async () => {
        throw new Error('disk full')
      },
      close: async () => {},
    }
    witness = make({
      store: broken,
      signer: {
        ...signer,
        sign: (message) => {
          signed++
          return signer.sign(message)
        },
      },
    })
    await expect(witness.addCheckpoint(await log.request(0, 5))).rejects.toThrow('disk full')
    expect(signed).toBe(0)
  })

  test('so that a failing signer leaves what another request gets cosigned', async () => {
    witness = make({
      signer: {
        ...signerOf(4),
        sign: () => {
          throw new Error('key service down')
        },
      },
    })
    await expect(witness.addCheckpoint(await log.request(0, 5))).rejects.toThrow('key service down')
    witness = make()
    expect(await witness.addCheckpoint(await log.request(0, 5))).toEqual(CONFLICT(5))
    expect(await statusOf(await log.request(5, 5))).toBe(200)
  })

  test('and not with a clock that gives no time', async () => {
    for (const time of [Number.NaN, -1, 1.5, 2 ** 53]) {
      witness = make({ clock: () => time })
      await expect(witness.addCheckpoint(await log.request(0, 5))).rejects.toThrow(RangeError)
      expect(await store.read(ORIGIN)).toBe(null)
    }
  })
})

describe('of two at once', () => {
  /** Both have read what is on record before either writes. */
  function meeting(inner: WitnessStore, count: number): WitnessStore {
    let waiting: (() => void)[] = []
    return {
      read: async (origin) => {
        const found = await inner.read(origin)
        await new Promise<void>((resolve) => {
          waiting.push(resolve)
          if (waiting.length < count) return
          for (const go of waiting) go()
          waiting = []
          count = 1
        })
        return found
      },
      swap: (origin, oldSize, next) => inner.swap(origin, oldSize, next),
      close: () => inner.close(),
    }
  }

  test.each([
    ['sizes', 9, log],
    ['histories', 7, fork],
  ])('with different %s, one is cosigned', async (_, size, rival) => {
    expect(await statusOf(await log.request(0, 3))).toBe(200)
    witness = make({ store: meeting(store, 2) })
    const requests = [await log.request(3, 7), await rival.request(3, size)]
    const answers = await Promise.all(requests.map((request) => witness.addCheckpoint(request)))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409])
    const onRecord = await store.read(ORIGIN)
    expect(answers.find(({ status }) => status === 409)).toEqual(CONFLICT(onRecord?.size ?? 0))
    const winner = answers.findIndex(({ status }) => status === 200)
    expect(encodeBase64(onRecord?.root ?? new Uint8Array())).toBe(
      encodeBase64(winner === 0 ? log.root(7) : rival.root(size)),
    )
  })
})
