import { expect, test } from 'vitest'
import * as store from '../src/store.js'

test('the subpath for those who keep approvals and budgets elsewhere exports these names and no other', () => {
  expect(Object.keys(store).sort()).toEqual([
    'TableApprovalStore',
    'TableBudget',
    'applicableLimits',
    'checkRow',
    'inWindow',
    'parseLimits',
    'requireCharge',
    'requireChargeId',
  ])
})
