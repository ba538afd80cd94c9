// Tests the commitments to results, against HMACs that the test computes itself.
import { createHash, createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { ALLOW, boundary, rejection } from '../fixtures/boundary.js'

const KEY = Uint8Array.from({ length: 32 }, (_, n) => n)
const KEY_ID = createHash('sha256').update(KEY).digest('hex').slice(0, 16)
const hmac = (text: string): string => createHmac('sha256', KEY).update(text).digest('hex')

describe('the result of an outcome', () => {
  const text = '{"content":[{"text":"\u00e9"}],"n":1.0}'

  it('is bound, for a success and an error', async () => {
    const b = boundary(ALLOW, { commitmentKey: KEY })
    for (const outcome of [{ status: 'success' }, { status: 'error', error: new Error('no') }] as const) {
      const authorization = await b.engine.authorize({ action: 'tool' })
      if (authorization.status !== 'allowed') throw new Error('denied')
      await b.engine.record(authorization, { ...outcome, resultText: () => text })
    }
    const outcomes = (await b.entries()).filter(({ event }) => event === 'outcome')
    expect(outcomes.map(({ outcome }) => outcome?.status)).toEqual(['success', 'error'])
    for (const { request_id: id, outcome } of outcomes)
      expect(outcome?.result).toEqual({
        profile: 'jcs',
        bytes: Buffer.byteLength('{"content":[{"text":"\u00e9"}],"n":1}'),
        key_id: KEY_ID,
        hmac: hmac(`{"request_id":"${id}","result":{"content":[{"text":"\u00e9"}],"n":1}}`),
      })
    expect(await b.report()).toMatchObject({ ok: true, findings: [] })
  })

  it('is bound by request id, too', async () => {
    const b = boundary(ALLOW, { commitmentKey: KEY })
    await b.engine.authorize({ action: 'tool', requestId: 'r-1' })
    await b.engine.recordOutcome('r-1', { status: 'success', resultText: () => '9007199254740993' })
    expect((await b.entries())[1]?.outcome?.result).toEqual({
      profile: 'bytes',
      bytes: 16,
      key_id: KEY_ID,
      hmac: hmac('r-1\n9007199254740993'),
    })
  })

  it('is not asked for without a key', async () => {
    const b = boundary(ALLOW)
    const authorization = await b.engine.authorize({ action: 'tool' })
    if (authorization.status !== 'allowed') throw new Error('denied')
    await b.engine.record(authorization, { status: 'success', resultText: () => expect.unreachable() })
    expect((await b.entries())[1]?.outcome).not.toHaveProperty('result')
    expect(b.faults).toEqual([])
  })

  it('that cannot be had is reported; the outcome is recorded without it', async () => {
    const b = boundary(ALLOW, { commitmentKey: KEY })
    const authorization = await b.engine.authorize({ action: 'tool' })
    if (authorization.status !== 'allowed') throw new Error('denied')
    const error = new Error('too deep')
    const resultText = () => {
      throw error
    }
    expect(await b.engine.record(authorization, { status: 'success', resultText })).toBe(true)
    expect((await b.entries())[1]?.outcome).toMatchObject({ status: 'success' })
    expect(b.faults).toMatchObject([{ stage: 'outcome', error }])
  })

  it('is a function', async () => {
    const b = boundary(ALLOW, { commitmentKey: KEY })
    const authorization = await b.engine.authorize({ action: 'tool' })
    if (authorization.status !== 'allowed') throw new Error('denied')
    const outcome = { status: 'success', resultText: text } as never
    expect(await rejection(b.engine.record(authorization, outcome))).toBeInstanceOf(TypeError)
  })
})
