// Tests rule files with concealed arguments. A rule must not allow a call if any value that the rule tests is
// concealed.
import { SudoEngine } from '@sudoagent/core'
import { MemoryLedger } from '@sudoagent/ledger/memory'
import { describe, expect, it } from 'vitest'
import { parsePolicyFile } from '../../src/file/parse.js'
import { RulePolicy } from '../../src/rule/rule-policy.js'

const FILE = `
sudoagent_policy: 1
id: concealed
rules:
  - id: by-tool
    tool: read
    effect: allow
    reason: reading is fine
  - id: by-text
    tool: run
    args: { command: { prefix: 'echo ' } }
    effect: allow
    reason: echo is fine
  - id: by-presence
    tool: login
    args: { password: { present: true }, user: { equals: ada } }
    effect: allow
    reason: ada may
  - id: stop
    tool: stop
    args: { command: { prefix: 'rm ' } }
    effect: deny
    reason: not rm
  - id: ask
    tool: ask
    effect: require_approval
    reason: look at it
`

const decide = async (tool: string, args: object): Promise<string> => {
  const policy = new RulePolicy(parsePolicyFile(FILE, 'p.yaml'))
  const engine = new SudoEngine({ policy, agentId: 'a', ledger: new MemoryLedger() })
  const answer = await engine.authorize({ action: tool, args: [args] })
  return answer.status === 'allowed' ? answer.reasonCode : answer.code
}

describe('a rule file', () => {
  it.each<[string, object, string]>([
    ['read', { note: 'ghp_abc123' }, 'POLICY_RULE:by-tool'],
    ['read', { session: { cmd: 'rm -rf /' } }, 'POLICY_RULE:by-tool'],
    ['run', { command: 'echo hi' }, 'POLICY_RULE:by-text'],
    ['run', { command: 'echo ghp_abc123' }, 'POLICY_NO_RULE'],
    ['run', { command: 'echo hi', note: 'ghp_abc123' }, 'POLICY_RULE:by-text'],
    ['login', { user: 'ada', password: 'a whole sentence' }, 'POLICY_RULE:by-presence'],
    ['login', { user: 'ghp_abc123', password: 'x' }, 'POLICY_NO_RULE'],
    ['stop', { command: 'echo ghp_abc123' }, 'POLICY_RULE_UNCLEAR:stop'],
    ['ask', { command: 'echo ghp_abc123' }, 'ARGUMENTS_CONCEALED'],
  ])('%s %j: %s', async (tool, args, code) => {
    expect(await decide(tool, args)).toBe(code)
  })
})
