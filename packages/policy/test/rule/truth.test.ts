import { expect, it, test } from 'vitest'
import { agree, every, fails, HOLDS, unclear, type Verdict } from '../../src/rule/truth.js'

const T = HOLDS
const F = fails('false')
const U = unclear('unclear')

test.each([
  [[T, T], 'true'],
  [[T, F], 'false'],
  [[T, U], 'unclear'],
  [[U, F], 'false'],
  [[F, U], 'false'],
  [[], 'true'],
] as [Verdict[], string][])('every %j is %s', (verdicts, truth) => {
  expect(every(verdicts.map((verdict) => () => verdict)).truth).toBe(truth)
})

test.each([
  [[T, T], 'true'],
  [[F, F], 'false'],
  [[T, F], 'unclear'],
  [[T, U], 'unclear'],
  [[F, U], 'unclear'],
  [[], 'false'],
] as [Verdict[], string][])('%j agree on %s', (verdicts, truth) => {
  expect(agree(verdicts, 'mixed').truth).toBe(truth)
})

it('does not ask on after a no', () => {
  expect(
    every([
      () => F,
      () => {
        throw new Error('asked')
      },
    ]),
  ).toBe(F)
})
