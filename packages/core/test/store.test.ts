import { expect, test } from 'vitest'
import * as store from '../src/store.js'

test('the subpath for those who keep approvals and budgets elsewhere exports these names and no other', () => {
  expect(Object.keys(store).sort()).toEqual([
    'APPROVAL_LIST_DEFAULT',
    'APPROVAL_LIST_MAX',
    'APPROVAL_RETENTION_MS',
    'APPROVAL_STATES',
    'APPROVAL_TTL_MS_DEFAULT',
    'APPROVAL_TTL_MS_MAX',
    'COLUMN_BYTES_MAX',
    'LEASE_HOLDER_LENGTH_MAX',
    'LEASE_MS',
    'QUESTION_COLUMNS',
    'QUESTION_TTL_MS_MAX',
    'TableApprovalStore',
    'TableBudget',
    'applicableLimits',
    'checkQuestion',
    'checkQuestions',
    'checkRow',
    'ownFields',
    'parseLimits',
    'readOptions',
    'requireCharge',
    'requireChargeId',
    'requireNowMs',
  ])
})
