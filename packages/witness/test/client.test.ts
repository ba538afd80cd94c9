import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createCosigner, parseNote, signNote } from '@sudoagent/crypto/note'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { CosignOptions } from '../src/client.js'
import {
  ask,
  cosigner,
  forgetBeforeEach,
  fork,
  honest,
  key,
  log,
  lying,
  NAME,
  proofs,
  timesIn,
} from './fixtures/asking.js'
import { codeOf, errorOf } from './fixtures/errors.js'
import { signerOf, TestLog } from './fixtures/log.js'

forgetBeforeEach()

describe('with an honest witness', () => {
  test('gets a first checkpoint cosigned, in one request and without a proof', async () => {
    const { note, time } = await ask(await honest())
    expect(time).toBe(1_700_000_000)
    expect(timesIn(note)).toEqual([time])
    expect(note.startsWith(await log.checkpoint(9))).toBe(true)
    expect(proofs).toEqual([])
  })

  test('follows growth: from the size it knows, or from what the witness says', async () => {
    const url = await honest()
    await ask(url, { checkpoint: await log.checkpoint(5) })
    await ask(url, { oldSize: 5 })
    expect(proofs).toEqual([[5, 9]])
    await ask(url, { checkpoint: await log.checkpoint(20) })
    await ask(url, { checkpoint: await log.checkpoint(40), oldSize: 7 })
    expect(proofs.slice(1)).toEqual([
      [9, 20],
      [7, 40],
      [20, 40],
    ])
    // A second request for the same size does not need a proof.
    expect(timesIn((await ask(url, { checkpoint: await log.checkpoint(40) })).note)).toHaveLength(1)
    expect(proofs).toHaveLength(4)
  })

  test('keeps the signatures that are there, and replaces an older one of the same witness', async () => {
    const url = await honest()
    const { text, signatures } = parseNote(await log.checkpoint(9))
    const older = createCosigner(NAME, signerOf(4), () => 7)
    const other = createCosigner('other.example/w', signerOf(5), () => 7)
    const stale = { name: NAME, keyHash: '00000000', bytes: Uint8Array.of(1) }
    const checkpoint = await signNote(text, [other, older], [...signatures, stale])
    const { note } = await ask(url, { checkpoint })
    expect(parseNote(note).signatures.map(({ name, keyHash }) => [name, keyHash])).toEqual([
      [log.origin, log.key.keyHash],
      [NAME, '00000000'],
      ['other.example/w', other.keyHash],
      [NAME, key.keyHash],
    ])
    expect(timesIn(note)).toEqual([1_700_000_000])
    expect(timesIn((await ask(url, { checkpoint: note })).note)).toEqual([1_700_000_000])
  })

  test('an address with a path, with or without a slash at its end', async () => {
    const url = await honest()
    const paths: string[] = []
    const fetch = (async (input: URL, init?: RequestInit) => {
      paths.push(input.pathname)
      return globalThis.fetch(`${url}/add-checkpoint`, init)
    }) as typeof globalThis.fetch
    for (const path of ['/w1', '/w1/', '/a/b//']) await ask(`http://witness.test${path}`, { fetch })
    expect([...new Set(paths)]).toEqual(['/w1/add-checkpoint', '/a/b/add-checkpoint'])
  })

  test('is told that it is behind, with the size', async () => {
    const url = await honest()
    await ask(url, { checkpoint: await log.checkpoint(20) })
    for (const oldSize of [0, 5, 9]) {
      expect(await errorOf(() => ask(url, { oldSize }))).toMatchObject({ code: 'WITNESS_AHEAD', witnessSize: 20 })
    }
  })

  test('is told of a fork, at the same size and beyond', async () => {
    const url = await honest()
    await ask(url)
    const forked = async (size: number) => ({ checkpoint: await fork.checkpoint(size), proveConsistency: fork.prove })
    for (const size of [9, 12]) {
      for (const oldSize of [0, 9]) {
        const error = await errorOf(async () => ask(url, { ...(await forked(size)), oldSize }))
        expect(error).toMatchObject({ code: 'WITNESS_CONFLICT', witnessSize: 9 })
      }
    }
  })

  test('is refused when the witness does not know the log, or knows it by another key', async () => {
    const url = await honest()
    const unknown = await new TestLog({ origin: 'other.example/log' }).checkpoint(9)
    const rekeyed = await new TestLog({ seed: 9 }).checkpoint(9)
    for (const checkpoint of [unknown, rekeyed]) {
      expect(await errorOf(() => ask(url, { checkpoint }))).toMatchObject({
        code: 'WITNESS_REFUSED',
        hint: expect.stringContaining('vkey'),
      })
    }
  })
})

describe('without an answer', () => {
  test('says so, with the reason', async () => {
    const url = await lying(() => [200, ''])
    const { port } = new URL(url)
    const closed = createServer()
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve))
    const free = (closed.address() as AddressInfo).port
    await new Promise((resolve) => closed.close(resolve))
    const error = await errorOf(() => ask(`http://127.0.0.1:${free}`))
    expect(error).toMatchObject({ code: 'WITNESS_UNREACHABLE', message: expect.stringContaining('ECONNREFUSED') })
    expect(port).not.toBe(String(free))
  })

  test('in time, or with a body that never ends, stops', async () => {
    const start = performance.now()
    const silent = await lying(() => new Promise(() => {}))
    expect(await errorOf(() => ask(silent, { timeoutMs: 200 }))).toMatchObject({
      code: 'WITNESS_UNREACHABLE',
      message: expect.stringContaining('timed out'),
    })
    const drip = createServer((_, response) => {
      const timer = setInterval(() => response.write('— '), 20)
      response.on('close', () => clearInterval(timer))
    })
    await new Promise<void>((resolve) => drip.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      drip.closeAllConnections()
      drip.close()
    })
    const url = `http://127.0.0.1:${(drip.address() as AddressInfo).port}`
    expect(await codeOf(() => ask(url, { timeoutMs: 200 }))).toBe('WITNESS_UNREACHABLE')
    expect(performance.now() - start).toBeLessThan(10_000)
  })

  test('when the connection breaks', async () => {
    const url = await lying(() => Promise.reject(new Error('break')))
    expect(await codeOf(() => ask(url))).toBe('WITNESS_UNREACHABLE')
  })
})

describe('sends nothing when it was called wrongly', () => {
  const untouched = (async () => {
    throw new Error('must not be called')
  }) as typeof globalThis.fetch

  test.each([
    'ftp://witness.example',
    'file:///etc/passwd',
    'witness.example',
    '',
    'http://',
    'http://user:password@witness.example',
    'http://user@witness.example',
    'https://witness.example?x=1',
    'https://witness.example/#x',
    'javascript:alert(1)',
  ])('to the address `%s`', async (url) => {
    expect(await codeOf(() => ask(url, { fetch: untouched }))).toBe('WITNESS_URL_INVALID')
  })

  test('with what is no checkpoint, no key of a witness, no size, no proof', async () => {
    const wrong = (options: Partial<CosignOptions>) => () => ask('http://w.test', { fetch: untouched, ...options })
    expect(await codeOf(wrong({ checkpoint: 'x' }))).toBe('NOTE_INVALID')
    const noCheckpoint = await signNote('a text\n', [{ ...cosigner, sign: async () => new Uint8Array(72) }])
    expect(await codeOf(wrong({ checkpoint: noCheckpoint }))).toBe('CHECKPOINT_INVALID')
    expect(await codeOf(wrong({ witness: log.key }))).toBe('KEY_WRONG_TYPE')
    for (const oldSize of [-1, 10, 1.5, Number.NaN]) await expect(wrong({ oldSize })()).rejects.toThrow(RangeError)
    const broken = { oldSize: 5, proveConsistency: async () => [new Uint8Array(31)] }
    expect(await codeOf(wrong(broken))).toBe('SUBMISSION_INVALID')
    const failing = { oldSize: 5, proveConsistency: async () => Promise.reject(new Error('no tree')) }
    await expect(wrong(failing)()).rejects.toThrow('no tree')
  })

  test('with a checkpoint that has no room for another signature', async () => {
    const { text, signatures } = parseNote(await log.checkpoint(9))
    const others = Array.from({ length: 99 }, (_, i) => ({
      name: `n${i}`,
      keyHash: '00000000',
      bytes: Uint8Array.of(1),
    }))
    const full = await signNote(text, [], [...signatures, ...others])
    expect(await codeOf(() => ask('http://w.test', { checkpoint: full, fetch: untouched }))).toBe('NOTE_INVALID')
  })
})
