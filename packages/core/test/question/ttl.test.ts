import { describe, expect, test } from 'vitest'
import { APPROVAL_TTL_MS_DEFAULT, APPROVAL_TTL_MS_MAX } from '../../src/approval/approval.js'
import { requireApprovalTtlMs } from '../../src/approval/ttl.js'

describe('requireApprovalTtlMs', () => {
  test('five minutes by default, an hour at most', () => {
    expect([APPROVAL_TTL_MS_DEFAULT, APPROVAL_TTL_MS_MAX]).toEqual([300_000, 3_600_000])
    expect(requireApprovalTtlMs(APPROVAL_TTL_MS_MAX)).toBe(APPROVAL_TTL_MS_MAX)
  })

  test('a longer one is refused, not clipped', () => {
    expect(() => requireApprovalTtlMs(APPROVAL_TTL_MS_MAX + 1)).toThrow(RangeError)
    for (const value of [0, -1, 1.5, Number.NaN, '300000', undefined])
      expect(() => requireApprovalTtlMs(value)).toThrow(TypeError)
  })
})
