import { describe, expect, test } from 'vitest'
import { APPROVAL_TTL_MS_MAX, parseBinding, sameBinding } from '../../src/approval/approval.js'
import { PARAMETERS_BYTES_MAX } from '../../src/approval/json-column.js'
import { makeApprovalRequest } from '../../src/approval/make-request.js'
import { at, bindingOf, requestOf } from '../fixtures/approval.js'

describe('makeApprovalRequest', () => {
  test('is the call, open for the time to live, under the request id', () => {
    const request = requestOf('r1')
    expect(request.approvalId).toBe('r1')
    expect(request.binding).toEqual(bindingOf('r1'))
    expect(request.expiresAt.getTime() - request.createdAt.getTime()).toBe(60_000)
  })

  test('belongs to nobody: not to who made the arguments, not to who reads the dates', () => {
    const inner = { amount: 1 }
    const now = at(0)
    const request = requestOf('r1', { kwargs: { inner } }, 60_000, now)
    inner.amount = 2
    now.setTime(0)
    request.expiresAt.setTime(9e15)
    expect(request.kwargs).toEqual({ inner: { amount: 1 } })
    expect(request.createdAt).toEqual(at(0))
    expect(request.expiresAt).toEqual(at(60_000))
    for (const part of [request, request.binding, request.args, request.kwargs, request.kwargs.inner]) {
      expect(Object.isFrozen(part)).toBe(true)
    }
  })

  test('refuses what a store or a terminal could not hold', () => {
    expect(() => requestOf('')).toThrow(TypeError)
    expect(() => requestOf('r'.repeat(129))).toThrow(TypeError)
    expect(() => requestOf('r', { action: '' })).toThrow(TypeError)
    expect(() => requestOf('r', { agentId: '\udc00' })).toThrow(TypeError)
    expect(() => requestOf('r', { reason: 'x'.repeat(4_097) })).toThrow(TypeError)
    expect(() => requestOf('r', { kwargs: { text: 'x'.repeat(PARAMETERS_BYTES_MAX) } })).toThrow(TypeError)
    expect(() => requestOf('r', { args: [Number.NaN] })).toThrow(TypeError)
    expect(() => requestOf('r', {}, APPROVAL_TTL_MS_MAX + 1)).toThrow(RangeError)
    const call = { binding: bindingOf('r'), action: 'a', agentId: 'b', args: [], kwargs: {}, reason: '' }
    expect(() => makeApprovalRequest(call, 1, new Date(Number.NaN))).toThrow(TypeError)
  })
})

describe('binding', () => {
  test('has three fields, of the right shape, and no other', () => {
    const binding = bindingOf('r1')
    expect(parseBinding(binding)).toEqual(binding)
    for (const over of [
      { requestId: '' },
      { policyHash: 'AB' },
      { decisionHash: undefined },
      { decisionHash: 'g'.repeat(64) },
      { extra: 1 },
    ]) {
      expect(() => parseBinding({ ...binding, ...over })).toThrow(TypeError)
    }
    expect(() => parseBinding(null)).toThrow(TypeError)
  })

  test('is the same only when every field is', () => {
    const binding = bindingOf('r1')
    expect(sameBinding(binding, bindingOf('r1'))).toBe(true)
    expect(sameBinding(binding, bindingOf('r2'))).toBe(false)
    expect(sameBinding(binding, { ...binding, requestId: 'r2' })).toBe(false)
    expect(sameBinding(binding, { ...binding, policyHash: binding.decisionHash })).toBe(false)
    expect(sameBinding(binding, { ...binding, decisionHash: binding.policyHash })).toBe(false)
  })
})
