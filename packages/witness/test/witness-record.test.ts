// Tests that a witness stores a checkpoint before cosigning it, and that one of two concurrent requests succeeds.

import { encodeBase64 } from '@sudoagent/crypto/bytes'
import { cosignatureTime, createCosignatureVerifier, openNote } from '@sudoagent/crypto/note'
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
  /** Wraps a store so that both requests read the stored checkpoint before either request writes. */
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
    const recorded = await store.read(ORIGIN)
    expect(answers.find(({ status }) => status === 409)).toEqual(CONFLICT(recorded?.size ?? 0))
    const winner = answers.findIndex(({ status }) => status === 200)
    expect(encodeBase64(recorded?.root ?? new Uint8Array())).toBe(
      encodeBase64(winner === 0 ? log.root(7) : rival.root(size)),
    )
  })
})

describe('a clock that goes back', () => {
  const request = (from: number, to: number) => log.request(from, to)
  let now = 0

  beforeEach(() => {
    now = 2_000
    witness = make({ clock: () => now })
  })

  const timeOf = async (answer: WitnessAnswer, size: number): Promise<number | undefined> => {
    expect(answer.status).toBe(200)
    const note = (await log.checkpoint(size)) + answer.body
    return openNote(note, [createCosignatureVerifier(witness.key)]).verified.map(cosignatureTime)[0]
  }

  test.each([
    ['a second', 1_999],
    ['a minute', 1_940],
  ])('by %s: the last time is used again, and never an earlier one', async (_, later) => {
    expect(await timeOf(await witness.addCheckpoint(await request(0, 3)), 3)).toBe(2_000)
    now = later
    expect(await timeOf(await witness.addCheckpoint(await request(3, 7)), 7)).toBe(2_000)
    expect(await timeOf(await witness.addCheckpoint(await request(7, 7)), 7)).toBe(2_000)
    now = 2_001
    expect(await timeOf(await witness.addCheckpoint(await request(7, 9)), 9)).toBe(2_001)
  })

  test.each([1_939, 1_000, 0])('to %s: nothing is cosigned or recorded', async (later) => {
    await witness.addCheckpoint(await request(0, 3))
    now = later
    for (const body of [await request(3, 7), await request(3, 3)])
      await expect(witness.addCheckpoint(body)).rejects.toMatchObject({ code: 'CLOCK_BEHIND' })
    expect(await store.read(ORIGIN)).toMatchObject({ size: 3, time: 2_000 })
    // A refusal for a different reason than the time still gets its own status.
    expect(await statusOf(await request(0, 7))).toBe(409)
  })

  test('for another log does not matter', async () => {
    const other = new TestLog({ origin: 'other.example/log', seed: 2 })
    witness = make({ clock: () => now, logs: [log.key, other.key] })
    await witness.addCheckpoint(await request(0, 3))
    now = 5
    expect(await statusOf(await other.request(0, 3))).toBe(200)
  })

  test('nor does a new key of the witness change it', async () => {
    await witness.addCheckpoint(await request(0, 3))
    witness = make({ clock: () => 1_000, signer: signerOf(5) })
    await expect(witness.addCheckpoint(await request(3, 7))).rejects.toMatchObject({ code: 'CLOCK_BEHIND' })
  })

  test('between two witnesses with one store: the later time counts for both', async () => {
    const slow = make({ clock: () => 1_990 })
    // The store reads before the other request stores its checkpoint, and writes afterwards.
    let isFirst = true
    const late = make({
      clock: () => 1_990,
      store: {
        read: async (origin) => {
          const found = await store.read(origin)
          if (isFirst) {
            isFirst = false
            await witness.addCheckpoint(await request(3, 3))
          }
          return found
        },
        swap: (origin, oldSize, next) => store.swap(origin, oldSize, next),
        close: async () => {},
      },
    })
    expect(await timeOf(await slow.addCheckpoint(await request(0, 3)), 3)).toBe(1_990)
    expect(await timeOf(await late.addCheckpoint(await request(3, 3)), 3)).toBe(2_000)
    expect(await store.read(ORIGIN)).toMatchObject({ size: 3, time: 2_000 })
  })

  test('with a store that is asked again and again and never takes it, nothing is cosigned', async () => {
    let asked = 0
    const never: WitnessStore = {
      read: async () => null,
      swap: async () => {
        asked += 1
        return false
      },
      close: async () => {},
    }
    witness = make({ store: never })
    expect(await witness.addCheckpoint(await request(0, 3))).toEqual(CONFLICT(0))
    expect(asked).toBeLessThan(20)
  })
})
