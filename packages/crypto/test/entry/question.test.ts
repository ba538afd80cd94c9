import { describe, expect, it, test } from 'vitest'
import { hashAuthority } from '../../src/entry/authority.js'
import { type Asked, hasTimeToAnswer, isAsked, questionRows, redactedText } from '../../src/entry/question.js'
import { ASKED as BLOCK } from '../fixtures/receipts.js'

const ASKED = BLOCK as unknown as Asked
const authority = { tenant: 'acme', session: 's-1' }

test.each<[string, object, boolean]>([
  ['nothing else', {}, true],
  ['an authority and its hash', { authority, authority_hash: hashAuthority(authority) }, true],
  ['a member of a later version', { later: 1 }, true],
  ['0 redacted values', { redacted: 0 }, true],
  ['-0 redacted values', { redacted: -0 }, false],
  ['an authority without its hash', { authority }, false],
  ['another approval id', { approval_id: 'x' }, false],
  ['a request id of 129 characters', { request_id: 'r'.repeat(129), approval_id: 'r'.repeat(129) }, false],
  ['more than 64 KiB', { later: 'x'.repeat(64 * 1024) }, false],
])('a question with %s: %s', (_, change, fits) => expect(isAsked({ ...ASKED, ...change })).toBe(fits))

describe('the time to answer', () => {
  it.each([
    ['2026-11-22T20:23:30.053000Z', true],
    ['2026-11-22T20:23:30.053001Z', false],
    ['2026-11-22T20:23:30.054000Z', false],
    ['2026-11-15T20:23:30.054000Z', true],
    ['2026-11-15T20:23:30.053999Z', false],
    [null, false],
  ])('after %s: %s', (recordedAt, isEnough) => expect(hasTimeToAnswer(ASKED, recordedAt)).toBe(isEnough))
})

it('is shown as rows: the call, for whom, the requirement, what is redacted, until when', () => {
  expect(questionRows({ ...ASKED, authority }).map(([name]) => name)).toEqual([
    'request',
    'action',
    'agent',
    'tenant',
    'session',
    'rule',
    'needs',
    'redacted',
    'expires',
  ])
  expect([0, 1, 2].map(redactedText)).toEqual([
    '0 values are not shown as the call gets them',
    '1 value is not shown as the call gets it',
    '2 values are not shown as the call gets them',
  ])
})
