import { expect, test } from 'vitest'
import * as sqlite from '../src/sqlite.js'

test('the subpath exports these names and no other', () => {
  expect(Object.keys(sqlite).sort()).toEqual([
    'BUSY_TIMEOUT_MS_DEFAULT',
    'BUSY_TIMEOUT_MS_MAX',
    'SqliteApprovalStore',
    'SqliteBudget',
  ])
})
