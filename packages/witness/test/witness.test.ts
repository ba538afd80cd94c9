import type { CryptoError } from '@sudoagent/crypto'
import {
  cosignatureTime,
  createCosignatureVerifier,
  createCosigner,
  openNote,
  parseNote,
  signNote,
} from '@sudoagent/crypto/note'
import { beforeEach, describe, expect, test } from 'vitest'
import { encodeAddCheckpoint } from '../src/add-checkpoint.js'
import { MemoryWitnessStore } from '../src/memory-store.js'
import type { WitnessStore } from '../src/store.js'
import { createWitness, type Witness, type WitnessAnswer } from '../src/witness.js'
import { bytesOf, ORIGIN, signerOf, TestLog } from './fixtures/log.js'

const log = new TestLog()
const fork = new TestLog({ forkAt: 3 })
const stranger = new TestLog({ seed: 9 })
const NAME = 'witness.example/w1'

let store: WitnessStore
let witness: Witness
let now = 1_700_000_000

beforeEach(() => {
  store = new MemoryWitnessStore()
  witness = make()
})

const make = (options: Partial<Parameters<typeof createWitness>[0]> = {}): Witness =>
  createWitness({ name: NAME, signer: signerOf(4), logs: [log.key], store, clock: () => now, ...options })

const CONFLICT = (size: number): WitnessAnswer => ({ status: 409, contentType: 'text/x.tlog.size', body: `${size}\n` })

/** Verifies the cosignature in an answer, and returns the time of the cosignature. */
function timeOf(answer: WitnessAnswer, checkpoint: string): number {
  expect(answer.status).toBe(200)
  const { verified } = openNote(checkpoint + answer.body, [createCosignatureVerifier(witness.key)])
  return verified.map(cosignatureTime)[0] ?? 0
}

const statusOf = async (request: Uint8Array | string): Promise<number> => {
  const answer = await witness.addCheckpoint(typeof request === 'string' ? bytesOf(request) : request)
  expect(answer.body.endsWith('\n')).toBe(true)
  if (answer.status !== 200) expect(answer.body).not.toContain('—')
  return answer.status
}

const requestOf = async (oldSize: number, proof: readonly Uint8Array[], checkpoint: Promise<string>) =>
  encodeAddCheckpoint({ oldSize, proof, checkpoint: await checkpoint })

describe('cosigns', () => {
  test('the first checkpoint, growth, and the same again at another time', async () => {
    for (const [from, to] of [
      [0, 5],
      [5, 8],
      [8, 8],
      [8, 9],
      [9, 40],
    ] as const) {
      now += 1
      expect(timeOf(await witness.addCheckpoint(await log.request(from, to)), await log.checkpoint(to))).toBe(now)
      expect(await store.read(ORIGIN)).toEqual({
        size: to,
        root: log.root(to),
        note: await log.checkpoint(to),
        time: now,
      })
    }
  })

  test('an empty tree, twice, and what grows from it', async () => {
    for (const to of [0, 0, 1]) expect(await statusOf(await log.request(0, to))).toBe(200)
    expect((await store.read(ORIGIN))?.size).toBe(1)
  })

  test('one line, that ends in a line feed', async () => {
    const { body, contentType } = await witness.addCheckpoint(await log.request(0, 5))
    expect(body).toMatch(/^— witness\.example\/w1 [A-Za-z0-9+/]+=*\n$/)
    expect(contentType).toBe('text/plain; charset=utf-8')
  })

  test('a checkpoint with signatures by others, of which none is kept', async () => {
    const { text, signatures } = parseNote(await log.checkpoint(5))
    const cosigner = createCosigner('w', signerOf(8), () => 1)
    const others = Array.from({ length: 98 }, (_, i) => ({
      name: `n${i}`,
      keyHash: '00000000',
      bytes: Uint8Array.of(1),
    }))
    const note = await signNote(text, [cosigner], [...others, ...signatures])
    expect(await statusOf(await requestOf(0, [], Promise.resolve(note)))).toBe(200)
    expect((await store.read(ORIGIN))?.note).toBe(await log.checkpoint(5))
  })

  test('extension lines, also others at the same size', async () => {
    for (const [from, extensions] of [
      [0, ['a']],
      [5, ['b', 'c']],
      [5, []],
    ] as const) {
      const answer = await witness.addCheckpoint(bytesOf(await requestOf(from, [], log.checkpoint(5, extensions))))
      timeOf(answer, await log.checkpoint(5, extensions))
    }
  })

  test('for each log on its own, by any key that it has', async () => {
    const renewed = new TestLog({ seed: 2 })
    const other = new TestLog({ origin: 'other.example/log', seed: 3 })
    witness = make({ logs: [log.key, renewed.key, other.key] })
    expect(await statusOf(await log.request(0, 5))).toBe(200)
    expect(await statusOf(await renewed.request(5, 9))).toBe(200)
    expect(await statusOf(await other.request(0, 3))).toBe(200)
    expect((await store.read(ORIGIN))?.size).toBe(9)
  })

  test('with a signer that is asynchronous', async () => {
    const signer = signerOf(4)
    witness = make({ signer: { ...signer, sign: async (message) => signer.sign(message) } })
    expect(await statusOf(await log.request(0, 5))).toBe(200)
  })
})

describe('refuses', () => {
  const five = async (): Promise<void> => expect(await statusOf(await log.request(0, 5))).toBe(200)

  test('400: what is no request, without a stack', async () => {
    for (const bad of ['', '\0', 'old 0\n\nx', '<html>', (await log.request(0, 5)).subarray(1)]) {
      const answer = await witness.addCheckpoint(typeof bad === 'string' ? bytesOf(bad) : bad)
      expect(answer).toMatchObject({ status: 400, contentType: 'text/plain; charset=utf-8' })
      expect(answer.body).not.toMatch(/ at |Error|\.js|\.ts/)
      expect(answer.body.split('\n')).toHaveLength(2)
    }
  })

  test('400: an old size beyond the checkpoint, before anything else is said', async () => {
    expect(await statusOf(await requestOf(6, [], log.checkpoint(5)))).toBe(400)
    await five()
    expect(await statusOf(await requestOf(5, [], log.checkpoint(4)))).toBe(400)
    expect(await statusOf(await requestOf(7, [], log.checkpoint(4)))).toBe(400)
  })

  test('404: an unknown log', async () => {
    expect(await statusOf(await new TestLog({ origin: 'other.example/log' }).request(0, 5))).toBe(404)
    for (const origin of ['__proto__', 'constructor', `${ORIGIN}/`, ORIGIN.toUpperCase()]) {
      expect(await statusOf(await new TestLog({ origin }).request(0, 5))).toBe(404)
    }
  })

  test('403: no signature by a known key of the log', async () => {
    expect(await statusOf(await stranger.request(0, 5))).toBe(403)
    const { text, signatures } = parseNote(await log.checkpoint(5))
    const [own] = signatures
    const forged = { ...own, name: ORIGIN, keyHash: log.key.keyHash, bytes: new Uint8Array(64) }
    for (const wrong of [[forged], [forged, ...signatures], [{ ...forged, keyHash: '00000000' }]]) {
      expect(await statusOf(await requestOf(0, [], signNote(text, [], wrong)))).toBe(403)
    }
    expect(await store.read(ORIGIN)).toBe(null)
  })

  test("403: another log's signature", async () => {
    const other = new TestLog({ origin: 'other.example/log', seed: 3 })
    witness = make({ logs: [log.key, other.key] })
    const { signatures } = parseNote(await other.checkpoint(5))
    const { text } = parseNote(await log.checkpoint(5))
    expect(await statusOf(await requestOf(0, [], signNote(text, [], signatures)))).toBe(403)
  })

  test("403: the witness's own signature in place of the log's", async () => {
    const { text } = parseNote(await log.checkpoint(5))
    const own = createCosigner(NAME, signerOf(4), () => 1)
    expect(await statusOf(await requestOf(0, [], signNote(text, [own])))).toBe(403)
  })

  test('409: another old size than that on record, which it says', async () => {
    expect(await witness.addCheckpoint(await log.request(3, 5))).toEqual(CONFLICT(0))
    await five()
    for (const from of [0, 3, 4, 6]) {
      expect(await witness.addCheckpoint(await log.request(from, 7))).toEqual(CONFLICT(5))
    }
    expect(await witness.addCheckpoint(await log.request(0, 3))).toEqual(CONFLICT(5))
    expect((await store.read(ORIGIN))?.size).toBe(5)
  })

  test('409: another root at the same size', async () => {
    await five()
    const answer = await witness.addCheckpoint(bytesOf(await requestOf(5, [], fork.checkpoint(5))))
    expect(answer).toMatchObject({ status: 409, contentType: 'text/plain; charset=utf-8' })
    expect((await store.read(ORIGIN))?.root).toEqual(log.root(5))
  })

  test('422: a proof that does not hold', async () => {
    await five()
    const good = await log.prove(5, 9)
    const proofs = [
      [],
      good.slice(1),
      [...good].reverse(),
      [...good, ...good],
      await log.prove(5, 10),
      await fork.prove(5, 9),
    ]
    for (const proof of proofs) expect(await statusOf(await requestOf(5, proof, log.checkpoint(9)))).toBe(422)
    expect(await statusOf(await requestOf(5, await fork.prove(5, 9), fork.checkpoint(9)))).toBe(422)
    expect(await statusOf(await requestOf(5, good, log.checkpoint(9)))).toBe(200)
  })

  test('422: a proof where there is nothing to prove', async () => {
    const proof = [new Uint8Array(32)]
    expect(await statusOf(await requestOf(0, proof, log.checkpoint(0)))).toBe(422)
    expect(await statusOf(await requestOf(0, proof, log.checkpoint(5)))).toBe(422)
    await five()
    expect(await statusOf(await requestOf(5, proof, log.checkpoint(5)))).toBe(422)
  })

  test('every changed byte of a good request', async () => {
    await five()
    const request = await log.request(5, 7)
    let cosigned = 0
    for (let at = 0; at < request.length; at++) {
      if ((await statusOf(request.map((byte, i) => (i === at ? byte ^ 1 : byte)))) === 200) cosigned++
    }
    expect(cosigned).toBe(0)
    expect((await store.read(ORIGIN))?.size).toBe(5)
  })
})

describe('createWitness', () => {
  test('refuses what it cannot work with', () => {
    expect(() => make({ logs: [] })).toThrow(TypeError)
    for (const [options, code] of [
      [{ name: 'a b' }, 'KEY_INVALID'],
      [{ logs: [witness.key] }, 'KEY_WRONG_TYPE'],
    ] as const) {
      expect(() => make(options)).toThrow(expect.objectContaining({ code }) as unknown as CryptoError)
    }
  })

  test('reads the system clock in seconds', async () => {
    const { clock: _, ...options } = { name: NAME, signer: signerOf(4), logs: [log.key], store, clock: 0 }
    const time = timeOf(await createWitness(options).addCheckpoint(await log.request(0, 5)), await log.checkpoint(5))
    expect(Math.abs(time - Date.now() / 1000)).toBeLessThan(60)
  })
})
