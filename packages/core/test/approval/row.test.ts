import { expect, test } from 'vitest'
import { checkRow, pendingRow, sameRequest, toRecord } from '../../src/approval/row.js'
import { at, requestOf, START_MS } from '../fixtures/approval.js'

test('a request becomes a row and the row a record with the same content', () => {
  const request = requestOf('r1', { args: [1] })
  const row = pendingRow(request, START_MS)
  expect(row.parametersJson).toBe('{"args":[1],"kwargs":{"amount":500,"note":"broken on arrival"}}')
  expect(toRecord(checkRow({ ...row }))).toEqual({
    ...request,
    state: 'pending',
    approverId: null,
    note: null,
    resolvedAt: null,
    consumedAt: null,
    leasedUntil: null,
  })
})

test('rows ask the same question whatever became of it', () => {
  const row = pendingRow(requestOf('r1'), START_MS)
  expect(sameRequest(row, { ...row, state: 'denied', resolvedAtMs: 1, approverId: 'alice', note: '' })).toBe(true)
  expect(sameRequest(row, { ...row, parametersJson: '{"args":[],"kwargs":{}}' })).toBe(false)
  expect(sameRequest(row, { ...row, expiresAtMs: row.expiresAtMs + 1 })).toBe(false)
})

test('a row checks out only whole', () => {
  const row = pendingRow(requestOf('r1'), START_MS)
  for (const name of Object.keys(row)) {
    expect(() => checkRow({ ...row, [name]: undefined }), name).toThrow()
    expect(() => checkRow({ ...row, [name]: 5 }), name).toThrow()
  }
})

test('a request that expires now has expired', () => {
  expect(() => pendingRow(requestOf('r1'), at(60_000).getTime())).toThrow(
    expect.objectContaining({ code: 'APPROVAL_EXPIRED' }),
  )
})
