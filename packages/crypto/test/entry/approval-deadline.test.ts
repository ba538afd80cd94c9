import { expect, test } from 'vitest'
import { APPROVAL_USE_GRACE_MS, isApprovalLate } from '../../src/entry/approval-deadline.js'

const END = '2026-01-01T12:00:00.000000Z'
const at = (ms: number): string => new Date(Date.parse('2026-01-01T12:00:00Z') + ms).toISOString().replace('Z', '000Z')

test.each<[string, string | null, string | null, string | null, boolean]>([
  ['in time', at(-1000), END, at(-900), false],
  ['at the last moment', END, END, END, false],
  ['without a deadline', at(0), null, at(10 ** 9), false],
  ['not resolved, by its times', null, END, at(0), false],
  ['of SudoAgent for Python, which records no time', at(-1), END, null, false],
  ['that waited for the ledger as long as it may', at(-1), END, at(APPROVAL_USE_GRACE_MS), false],
  ['that waited longer', at(-1), END, at(APPROVAL_USE_GRACE_MS + 1), true],
  ['that waited a microsecond longer', at(-1), END, at(APPROVAL_USE_GRACE_MS).replace('000Z', '001Z'), true],
  ['resolved a millisecond late', at(1), END, at(1), true],
  ['resolved a microsecond late', END.replace('.000000Z', '.000001Z'), END, at(1), true],
  ['resolved late, in a ledger without times', at(1), END, null, true],
  ['with a deadline that cannot be read', at(-1), '2026-01-01', at(0), true],
  ['with a deadline in another time zone', at(-1), '2026-01-01T12:00:00+00:00', at(0), true],
  ['with a deadline on a day that does not exist', at(-1), '2026-02-30T12:00:00.000000Z', at(0), true],
  ['with an answer at a time that cannot be read', 'in time', END, at(0), true],
  ['recorded at a time that cannot be read', at(-1), END, 'later', true],
])('an approval %s', (_, resolved_at, expires_at, recordedAt, isLate) => {
  expect(isApprovalLate({ resolved_at, expires_at }, recordedAt)).toBe(isLate)
})
