import { expect, it } from 'vitest'
import * as core from '../src/index.js'

it('exports what the documentation names, and nothing else', () => {
  expect(Object.keys(core).sort()).toEqual([
    'APPROVAL_TTL_MS_DEFAULT',
    'APPROVAL_TTL_MS_MAX',
    'AllowAllPolicy',
    'ApprovalDenied',
    'ApprovalError',
    'ApprovalStoreError',
    'AuditLogError',
    'BudgetStoreError',
    'CallCancelled',
    'DenyAllPolicy',
    'ImmediateApprover',
    'InteractiveApprover',
    'JsonlAuditLog',
    'MemoryApprovalStore',
    'MemoryBudget',
    'ParametersError',
    'PolicyError',
    'PollingApprover',
    'REASON_CODES',
    'SudoAgentError',
    'SudoEngine',
    'UNRECORDABLE',
    'createRedactor',
    'describeConcealed',
    'foldName',
    'isIntegerText',
  ])
})
