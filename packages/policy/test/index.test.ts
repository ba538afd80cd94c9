import { expect, it } from 'vitest'
import * as policy from '../src/index.js'

it('exports what the documentation names, and nothing else', () => {
  expect(Object.keys(policy).sort()).toEqual([
    'POLICY_FILE_CODES',
    'POLICY_FORMAT',
    'PolicyFileError',
    'RulePolicy',
    'loadPolicy',
    'parsePolicyFile',
    'policyWarnings',
    'readPath',
    'realPathOnDisk',
    'splitAction',
  ])
})
