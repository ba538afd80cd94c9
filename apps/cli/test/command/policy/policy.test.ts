import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { Sandbox } from '../../support/sandbox.js'

const box = new Sandbox()
const ONE_ERROR = /^sudoagent: error: [^\n]+\nsudoagent: hint: [^\n]+\n$/

const POLICY = `sudoagent_policy: 1
id: pay
version: 1
rules:
  - { id: no-large, tool: pay, args: { amount: { gt: 1000 } }, effect: deny, reason: never that much }
  - { id: small, tool: pay, args: { amount: { lte: 10 } }, effect: allow, reason: small }
  - { id: ask, tool: pay, effect: require_approval, reason: somebody looks at it }
  - { id: reads, server: files, tool: 'read_*', args: { path: { root: /srv, glob: '**' } }, effect: allow, reason: reads }
`

beforeAll(() => {
  writeFileSync(box.path('policy.yaml'), POLICY)
  writeFileSync(box.path('bad.yaml'), POLICY.replace('effect: deny', 'efect: deny'))
  writeFileSync(box.path('evil.yaml'), 'sudoagent_policy: 1\nid: "\\e[31m"\nrules: []\n')
  writeFileSync(box.path('call.json'), '{"amount": 5}')
  writeFileSync(box.path('twice.json'), '{"amount": 5, "amount": 5000}')
  const module = (body: string): string => `export default { policyId: 'own', evaluate() { ${body} } }\n`
  writeFileSync(box.path('own.mjs'), module("return { decision: 'allow', reason: 'always' }"))
  writeFileSync(
    box.path('within.yaml'),
    POLICY.replace('effect: require_approval', 'effect: require_approval, approval: { within: 90m }'),
  )
  const asks = "return { decision: 'require_approval', reason: 'r', approval: { within: 1500 } }"
  writeFileSync(box.path('within.mjs'), module(asks))
  writeFileSync(box.path('throws.mjs'), module("throw new Error('no database')"))
})
afterAll(() => box.remove())

describe('policy check', () => {
  it('says what a policy is', () => {
    const { code, stdout, stderr } = box.run(['policy', 'check', 'policy.yaml'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(
      /^policy {3}pay\nversion {2}1\nhash {5}[0-9a-f]{64}\nrules {4}4 \(2 allow, 1 deny, 1 require approval\)\n$/,
    )
    expect(JSON.parse(box.run(['policy', 'check', 'policy.yaml', '--json']).stdout)).toMatchObject({
      kind: 'rules',
      policy_id: 'pay',
      policy_version: '1',
      policy_hash: /[0-9a-f]{64}/.exec(stdout)?.[0],
      rules: { allow: 2, deny: 1, require_approval: 1 },
    })
    expect(JSON.parse(box.run(['policy', 'check', 'own.mjs', '--json']).stdout)).toMatchObject({
      kind: 'module',
      policy_id: 'own',
      rules: null,
    })
  })

  test.each([
    [
      'a misspelt key',
      'bad.yaml',
      /`bad\.yaml`, line 5, column 64: .*`efect` \(POLICY_KEY_UNKNOWN\)\n.*did you mean `effect`\?/,
    ],
    ['an escape sequence', 'evil.yaml', /line 2, column 5: `\\u\{1b\}\[31m` is not a valid id/],
    ['a missing file', 'missing.yaml', /ENOENT.*POLICY_FILE_UNREADABLE/],
    ['another kind of file', 'call.toml', /POLICY_FILE_KIND_UNKNOWN/],
    ['JSON that is no policy', 'call.json', /`call\.json`, line 1, column 2: .*POLICY_KEY_UNKNOWN/],
  ])('exits with 3 for %s', (_, file, says) => {
    const { code, stdout, stderr } = box.run(['policy', 'check', file])
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' })
    expect(stderr).toMatch(ONE_ERROR)
    expect(stderr).toMatch(says)
  })

  it('exits with 2 without a file', () => {
    expect(box.run(['policy', 'check']).code).toBe(2)
  })
})

describe('policy explain', () => {
  const explain = (args: readonly string[]) => box.run(['policy', 'explain', ...args])
  const decided = (args: readonly string[]) => {
    const { code, stdout, stderr } = explain([...args, '--json'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const { decision, rule, steps } = JSON.parse(stdout)
    return [decision, rule, steps?.map(({ outcome }: { outcome: string }) => outcome)]
  }

  test.each([
    [
      ['--args', '{"amount": 5}'],
      ['allow', 'small', ['not_matched', 'matched']],
    ],
    [
      ['--args-file', 'call.json'],
      ['allow', 'small', ['not_matched', 'matched']],
    ],
    [
      ['--args', '{"amount": 5000}'],
      ['deny', 'no-large', ['matched']],
    ],
    [
      ['--args', '{"amount": "5000"}'],
      ['deny', 'no-large', ['unclear']],
    ],
    [
      ['--args', '{"amount": 500}'],
      ['require_approval', 'ask', ['not_matched', 'not_matched', 'matched']],
    ],
    [[], ['require_approval', 'ask', ['not_matched', 'not_matched', 'matched']]],
  ])('pay %j', (args, expected) => {
    expect(decided(['policy.yaml', '--tool', 'pay', ...args])).toEqual(expected)
  })

  it('tells servers apart, and reads arguments from standard input', () => {
    const read = (server: string) =>
      box.shell(
        `echo '{"path": "/srv/../etc/passwd"}' | $S policy explain policy.yaml --tool read_file ${server} --args -`,
      )
    const { code, stdout } = read('--server files')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^call {6}files\/read_file\npolicy {4}pay, version 1\ndecision {2}deny\nrule {6}none\n/)
    expect(stdout).toMatch(/line {4}8 {2}reads {5}allow {13}skipped: `path` is outside the root\n$/)
    expect(read('').stdout).toMatch(/skipped: the call names no server\n$/)
  })

  it('shows the policy what an engine would, and itself no secret', () => {
    const { stdout } = explain([
      'policy.yaml',
      '--tool',
      'pay',
      '--args',
      '{"amount": 5, "password": "hunter2"}',
      '--json',
    ])
    expect(JSON.parse(stdout).call.kwargs).toEqual({ amount: 5, password: '[redacted]' })
    expect(stdout).not.toContain('hunter2')
  })

  it('names the time that the policy gives approvers', () => {
    const asks = (args: readonly string[]) => {
      const text = explain([...args, '--tool', 'pay']).stdout
      return [/^approval .*$/m.exec(text)?.[0], JSON.parse(explain([...args, '--tool', 'pay', '--json']).stdout)]
    }
    expect(asks(['within.yaml'])).toEqual([
      'approval  within 90m',
      expect.objectContaining({ approval_within_ms: 5_400_000 }),
    ])
    expect(asks(['within.mjs'])).toEqual([
      'approval  within 1500ms',
      expect.objectContaining({ approval_within_ms: 1_500 }),
    ])
    expect(asks(['policy.yaml'])).toEqual([undefined, expect.objectContaining({ approval_within_ms: null })])
  })

  it('asks a module, which has no rules to tell', () => {
    expect(decided(['own.mjs', '--tool', 'pay'])).toEqual(['allow', null, undefined])
    expect(explain(['own.mjs', '--tool', 'pay']).stdout).toContain('A module decides in code.')
  })

  test.each([
    ['a key twice', 2, ['--tool', 'pay', '--args', '{"a": 1, "a": 2}'], /duplicate key/],
    ['a key twice in a file', 3, ['--tool', 'pay', '--args-file', 'twice.json'], /`twice\.json`.*duplicate key/],
    ['no JSON', 2, ['--tool', 'pay', '--args', 'amount=5'], /--args is not JSON/],
    ['no object', 2, ['--tool', 'pay', '--args', '[5]'], /--args is not a JSON object/],
    ['arguments twice', 2, ['--tool', 'pay', '--args', '{}', '--args-file', 'call.json'], /both given/],
    ['no tool', 2, [], /--tool/],
    ['an empty tool', 2, ['--tool', ''], /--tool is empty/],
    ['a server with a slash', 2, ['--tool', 't', '--server', 'a/b'], /--server/],
    ['a missing file of arguments', 3, ['--tool', 't', '--args-file', 'missing.json'], /missing\.json/],
    [
      'arguments that an engine refuses',
      3,
      ['--tool', 't', '--args', `{"a": ${'['.repeat(60)}${']'.repeat(60)}}`],
      /nested|deep/i,
    ],
  ])('is refused: %s', (_, code, args, says) => {
    const ran = explain(['policy.yaml', ...args])
    expect({ code: ran.code, stdout: ran.stdout }).toEqual({ code, stdout: '' })
    expect(ran.stderr).toMatch(ONE_ERROR)
    expect(ran.stderr).toMatch(says)
  })

  it('says when a module fails: an engine denies then', () => {
    const { code, stderr } = explain(['throws.mjs', '--tool', 'pay'])
    expect(code).toBe(3)
    expect(stderr).toMatch(ONE_ERROR)
    expect(stderr).toContain('no database')
  })
})
