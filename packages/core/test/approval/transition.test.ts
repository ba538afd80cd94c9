import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { APPROVAL_STATES } from '../../src/approval/approval.js'
import { checkQuestion, pendingQuestion } from '../../src/approval/question-row.js'
import { type ApprovalRow, checkRow, pendingRow } from '../../src/approval/row.js'
import { checkResolution, refusalError, rowAt, settle, use } from '../../src/approval/transition.js'
import { bindingOf, questionOf, requestOf, START_MS } from '../fixtures/approval.js'

const PENDING = pendingRow(requestOf('r1'), START_MS)
const QUESTION = pendingQuestion(questionOf('r1'), START_MS)
const DEADLINE_MS = PENDING.expiresAtMs

/**
 * One step: an answer or a use, valid or invalid, at any time. The time may be earlier than that of the previous step.
 */
const step = fc.record({
  use: fc.boolean(),
  state: fc.constantFrom('approved', 'denied', 'expired', 'failed'),
  binding: fc.constantFrom(null, 'own' as const, bindingOf('r1', 'other'), bindingOf('r2')),
  nowMs: fc.integer({ min: START_MS - 1_000, max: DEADLINE_MS + 1_000 }),
})

describe.each([
  ['a request', PENDING, checkRow, bindingOf('r1')],
  ['a question', QUESTION, checkQuestion, questionOf('r1').binding],
] as const)('any story of %s', (kind, pending, check, own) => {
  test('has one use at most, of an approval, in time; a settled state never goes back; every row is one that a store accepts', () => {
    const property = fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      let row: ApprovalRow = pending
      let uses = 0
      for (const { use: using, state, binding: given, nowMs } of steps) {
        const before = row
        const binding = given === 'own' ? own : given
        const moved = using ? use(row, binding ?? own, nowMs) : settle(row, checkResolution({ state, binding }), nowMs)
        row = check({ ...moved.row })
        if (using && moved.refusal === null) {
          uses++
          expect(before).toMatchObject({ state: 'approved', consumedAtMs: null })
          // The use of a question follows the ledger, which has judged the time.
          if (kind === 'a request') expect(nowMs).toBeLessThan(DEADLINE_MS)
        }
        if (before.state !== 'pending') expect(row.state).not.toBe('pending')
        if (before.state !== 'pending' && before.state !== 'approved') expect(row.state).toBe(before.state)
        if (before.consumedAtMs !== null) expect(row).toEqual(before)
        if (row.state === 'approved' && before.state === 'pending') expect(nowMs).toBeLessThan(DEADLINE_MS)
      }
      expect(uses).toBeLessThanOrEqual(1)
    })
    fc.assert(property, { numRuns: 500 })
  })
})

test('rowAt: pending until the deadline, expired from it on', () => {
  expect(rowAt(PENDING, DEADLINE_MS - 1)).toBe(PENDING)
  expect(rowAt(PENDING, DEADLINE_MS)).toMatchObject({ state: 'expired', resolvedAtMs: DEADLINE_MS })
})

test('a mismatch at the deadline is still a mismatch, of an expired row', () => {
  const moved = settle(PENDING, checkResolution({ state: 'approved', binding: bindingOf('r2') }), DEADLINE_MS)
  expect(moved).toMatchObject({ row: { state: 'expired' }, refusal: 'APPROVAL_BINDING_MISMATCH' })
})

test('a pending row that is used for another call is spoilt', () => {
  expect(use(PENDING, bindingOf('r2'), START_MS)).toMatchObject({
    row: { state: 'failed' },
    refusal: 'APPROVAL_BINDING_MISMATCH',
  })
})

test('every code has a message of its own', () => {
  const codes = [
    'APPROVAL_NOT_FOUND',
    'APPROVAL_EXPIRED',
    'APPROVAL_ALREADY_RESOLVED',
    'APPROVAL_ALREADY_USED',
    'APPROVAL_NOT_APPROVED',
    'APPROVAL_BINDING_MISMATCH',
    'APPROVAL_STORE_FAILED',
  ] as const
  expect(new Set(codes.map((code) => refusalError(code).message)).size).toBe(codes.length)
  expect(APPROVAL_STATES).toHaveLength(5)
})
