import { expect, test } from 'vitest'
import {
  checkQuestion,
  checkQuestions,
  isQuestion,
  pendingQuestion,
  QUESTION_COLUMNS,
  recordOf,
} from '../../src/approval/question-row.js'
import { pendingRow, sameRequest } from '../../src/approval/row.js'
import { at, questionOf, requestOf, START_MS } from '../fixtures/approval.js'

const REQUEST = questionOf('q1', { authority: { tenant: 'acme' }, asked: { metadata: { b: 1, a: 2 } } })
const ROW = pendingQuestion(REQUEST, START_MS)

test('a question becomes a row and the row a record with the same content', () => {
  expect(ROW).toMatchObject({ authorityJson: '{"tenant":"acme"}', metadataJson: '{"a":2,"b":1}', commitmentJson: null })
  expect(recordOf(checkQuestion({ ...ROW }))).toEqual({
    ...REQUEST,
    state: 'pending',
    approverId: null,
    note: null,
    resolvedAt: null,
    consumedAt: null,
    leasedUntil: null,
  })
})

test('every field of a row has a column', () => {
  expect(QUESTION_COLUMNS.map(([field]) => field).sort()).toEqual(Object.keys(ROW).sort())
})

test('a row checks out only whole', () => {
  for (const name of Object.keys(ROW)) {
    expect(() => checkQuestion({ ...ROW, [name]: undefined }), name).toThrow()
    expect(
      () => checkQuestion({ ...ROW, [name]: name === 'position' || name === 'redacted' ? '5' : 5 }),
      name,
    ).toThrow()
  }
})

test('rows of the two kinds are told apart, whatever Object.prototype has', () => {
  const older = pendingRow(requestOf('q1', { binding: REQUEST.binding }), START_MS)
  Object.defineProperty(Object.prototype, 'requirementHash', { value: 'x', configurable: true })
  try {
    expect([isQuestion(ROW), isQuestion(older)]).toEqual([true, false])
  } finally {
    Reflect.deleteProperty(Object.prototype, 'requirementHash')
  }
  expect(sameRequest(ROW, older) || sameRequest(older, ROW)).toBe(false)
  expect(sameRequest(ROW, { ...ROW, leaseHolder: 'A', leasedUntilMs: 1 } as typeof ROW)).toBe(true)
  expect(sameRequest(ROW, { ...ROW, state: 'denied', resolvedAtMs: 1, approverId: 'alice' } as typeof ROW)).toBe(true)
})

test('a list leaves out the rows that are not valid, and names them', () => {
  const ids: string[] = []
  const rows = [
    ROW,
    { ...ROW, approvalId: 'q2' },
    { ...ROW, approvalId: null },
    { ...ROW, approvalId: 'x'.repeat(999) },
  ]
  expect(checkQuestions(rows, (id) => ids.push(id))).toEqual([ROW])
  expect(ids).toEqual(['q2', 'null', 'x'.repeat(128)])
})

test('a question that expires now has expired', () => {
  expect(() => pendingQuestion(REQUEST, at(60_000).getTime())).toThrow(
    expect.objectContaining({ code: 'APPROVAL_EXPIRED' }),
  )
})
