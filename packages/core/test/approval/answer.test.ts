import { expect, test } from 'vitest'
import { parseAnswer } from '../../src/approval/answer.js'
import { bindingOf } from '../fixtures/approval.js'

test('true and false are answers', () => {
  expect(parseAnswer(true)).toEqual({ approved: true, approverId: null, note: null, binding: null })
  expect(parseAnswer(false).approved).toBe(false)
})

test('an object says who, why, and what was seen', () => {
  const binding = bindingOf('r1')
  const answer = { approved: true, approverId: 'alice', reason: 'checked', binding }
  expect(parseAnswer(answer)).toEqual({ approved: true, approverId: 'alice', note: 'checked', binding })
  const bare = { approved: false, approverId: null, reason: undefined, binding: null }
  expect(parseAnswer(bare)).toEqual({ approved: false, approverId: null, note: null, binding: null })
})

test.each([
  ['nothing', undefined],
  ['null', null],
  ['one', 1],
  ['yes', 'yes'],
  ['a Boolean object', Object(true)],
  ['an array', [true]],
  ['a promise', Promise.resolve(true)],
  ['an empty object', {}],
  ['a truthy approved', { approved: 1 }],
  ['a string approved', { approved: 'true' }],
  ['an inherited approved', Object.create({ approved: true })],
  ['an unknown field', { approved: true, aproverId: 'alice' }],
  ['an empty approver id', { approved: true, approverId: '' }],
  ['an approver id that is no text', { approved: true, approverId: { toString: () => 'alice' } }],
  ['a lone surrogate', { approved: true, reason: '\ud800' }],
  ['an endless reason', { approved: true, reason: 'x'.repeat(5_000) }],
  ['half a binding', { approved: true, binding: { requestId: 'r1' } }],
  [
    'a getter that throws',
    {
      get approved() {
        throw new Error('no')
      },
    },
  ],
])('%s is none', (_name, answer) => {
  expect(() => parseAnswer(answer)).toThrow()
})

test('each field is read once, so that it cannot change between check and use', () => {
  let reads = 0
  const answer = {
    get approved() {
      return reads++ > 0
    },
  }
  expect(parseAnswer(answer).approved).toBe(false)
  expect(reads).toBe(1)
})
