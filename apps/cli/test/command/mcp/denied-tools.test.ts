// Tests `deniedTools`, which finds the tools that the rules deny whatever the arguments are.
import { parsePolicyFile, RulePolicy } from '@sudoagent/policy'
import { expect, it } from 'vitest'
import { deniedTools } from '../../../src/command/mcp/denied-tools.js'

const RULES = `sudoagent_policy: 1
id: notes
version: '1'
rules:
  - { id: secrets, server: files, tool: read, args: { path: { glob: /etc/** } }, effect: deny, reason: secrets }
  - { id: read, server: files, tool: read, args: { path: { glob: /notes/** } }, effect: allow, reason: a note }
  - { id: gone, server: files, tool: drop, effect: deny, reason: never }
  - { id: late, server: files, tool: 'drop*', effect: allow, reason: too late for drop }
  - { id: bare, server: files, tool: list, args_only: true, effect: deny, reason: not without arguments }
  - { id: list, server: files, tool: list, effect: allow, reason: lists }
  - { id: write, server: files, tool: write, effect: require_approval, reason: writes }
`

it.each([
  ['files/read', false],
  ['files/write', false],
  ['files/drop', true],
  ['files/drop_all', false],
  ['files/list', false],
  ['files/other', true],
  ['others/read', true],
] as const)('%s: %s', (action, denied) => {
  expect(deniedTools(new RulePolicy(parsePolicyFile(RULES, 'notes.yaml')))(action)).toBe(denied)
})

it('a module does not say what it denies', () => {
  const policy = { policyId: 'code', evaluate: () => ({ decision: 'deny', reason: 'no' }) as const }
  expect(() => deniedTools(policy as never)).toThrow(/needs a policy with rules/)
})
