import { sha256Hex } from '@sudoagent/crypto'
import { describe, expect, test } from 'vitest'
import { QUESTION_TTL_MS_MAX } from '../../src/approval/approval.js'
import { type AskedCall, makeAskedRequest } from '../../src/approval/make-asked-request.js'
import { askedCallOf, at } from '../fixtures/approval.js'

const TIMES = { createdAt: at(0), expiresAt: at(60_000) }
const COMMITMENT = { key_id: '0123456789abcdef', hmac: sha256Hex('hmac') }
const CALL = askedCallOf('q1', { authority: { tenant: 'acme' }, asked: { commitment: COMMITMENT } })

describe('makeAskedRequest', () => {
  test('gives the call, under its request id, with the times of its entry', () => {
    expect(makeAskedRequest(CALL, TIMES)).toEqual({ ...CALL, approvalId: 'q1', ...TIMES })
    const longest = { createdAt: at(0), expiresAt: at(QUESTION_TTL_MS_MAX) }
    expect(makeAskedRequest(CALL, longest).expiresAt).toEqual(longest.expiresAt)
  })

  test('copies all, so that nobody can change it', () => {
    const metadata = { deep: [{ n: 1 }] }
    const call = askedCallOf('q1', { authority: { tenant: 'acme' }, asked: { metadata } })
    const request = makeAskedRequest(call, TIMES)
    metadata.deep.push({ n: 2 })
    request.expiresAt.setTime(0)
    expect(request.asked?.metadata).toEqual({ deep: [{ n: 1 }] })
    expect(request.expiresAt).toEqual(at(60_000))
    expect(request.authority).not.toBe(call.authority)
    for (const part of [request, request.authority, request.asked, request.asked?.metadata.deep, request.decision])
      expect(Object.isFrozen(part)).toBe(true)
  })

  test('reads a value once: a getter cannot show one and keep another', () => {
    let reads = 0
    const asked = {
      ...CALL.asked,
      get redacted() {
        reads += 1
        return reads === 1 ? 3 : -1
      },
    }
    expect(makeAskedRequest({ ...CALL, asked }, TIMES).asked?.redacted).toBe(3)
  })

  const { decision, asked } = CALL
  test.each<[string, object]>([
    ['no decision', { decision: undefined }],
    ['a time of another form', { decision: { ...decision, decisionAt: '2026-01-02' } }],
    ['an authority of another shape', { authority: { tenant: 'acme', more: 1 } }],
    ['an authority that was left out', { authority: undefined }],
    ['other arguments', { kwargs: {} }],
    ['a missing position', { asked: { ...asked, position: undefined } }],
    ['a version that is left out', { asked: { ...asked, policyVersion: undefined } }],
    ['an unsigned requirement with a registry', { asked: { ...asked, requirement: { registry_hash: asked.ledger } } }],
    ['a hash of another requirement', { asked: { ...asked, requirementHash: asked.ledger } }],
    ['a commitment of another shape', { asked: { ...asked, commitment: { ...COMMITMENT, more: 1 } } }],
    ['metadata that is not JSON', { asked: { ...asked, metadata: { x: 1n } } }],
  ])('refuses %s', (_, over) => {
    expect(() => makeAskedRequest({ ...CALL, ...over } as AskedCall, TIMES)).toThrow(TypeError)
  })

  test('refuses a lifetime that is over, or above seven days', () => {
    expect(() => makeAskedRequest(CALL, { createdAt: at(0), expiresAt: at(0) })).toThrow(TypeError)
    const long = { createdAt: at(0), expiresAt: at(QUESTION_TTL_MS_MAX + 1) }
    expect(() => makeAskedRequest(CALL, long)).toThrow(RangeError)
    expect(() => makeAskedRequest(CALL, { createdAt: at(0), expiresAt: new Date(Number.NaN) })).toThrow(TypeError)
  })
})
