import { expect, test } from 'vitest'
import { ImmediateApprover } from '../../src/approval/immediate.js'

test('gives the answer it was made with', () => {
  expect(new ImmediateApprover(true).approve()).toEqual({ approved: true, approverId: 'immediate' })
  expect(new ImmediateApprover(false, { approverId: 'ci' }).approve()).toEqual({ approved: false, approverId: 'ci' })
})

test.each([1, 'true', '1', {}, undefined, null])('%j is neither yes nor no', (approved) => {
  expect(() => new ImmediateApprover(approved as boolean)).toThrow(TypeError)
})

test('wrong options are a TypeError', () => {
  expect(() => new ImmediateApprover(true, { approver: 'x' } as never)).toThrow(/did you mean `approverId`/)
  expect(() => new ImmediateApprover(true, { approverId: '' })).toThrow(TypeError)
})
