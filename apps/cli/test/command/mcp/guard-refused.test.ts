// Tests the cases in which `mcp guard` refuses to start.
import { chmodSync, writeFileSync } from 'node:fs'
import { beforeEach, describe, expect, it } from 'vitest'
import { sampled } from '../../../../../test/tier.js'
import { POLICY } from '../../support/mcp.js'
import { type Sandbox, sandbox } from '../../support/sandbox.js'

let box: Sandbox
beforeEach(() => {
  box = sandbox()
  writeFileSync(box.path('policy.mjs'), POLICY)
})

describe('cannot be started: nothing on stdout, no ledger', () => {
  const at = (...options: string[]): string[] => ['mcp', 'guard', ...options]
  const usual = ['--policy', 'policy.mjs', '--ledger', 'ledger.sqlite']
  const server = ['--', 'true']

  it.each<[string, string[], number, RegExp]>(
    sampled(
      [
        ['no policy', at('--ledger', 'ledger.sqlite', ...server), 2, /--policy/],
        ['no server', at(...usual), 2, /no server/],
        ['two servers', at(...usual, '--upstream', 'http://127.0.0.1:1/mcp', ...server), 2, /two servers/],
        ['a URL with a password', at(...usual, '--upstream', 'https://a:b@x/mcp'), 2, /is not the URL of a server/],
        [
          'a policy file that is missing',
          at('--policy', 'none.mjs', '--ledger', 'ledger.sqlite', ...server),
          3,
          /`none\.mjs`: it cannot be read/,
        ],
        [
          'a policy with an error',
          at('--policy', 'broken.mjs', '--ledger', 'ledger.sqlite', ...server),
          3,
          /check line 3/,
        ],
        [
          'a policy that throws',
          at('--policy', 'throws.mjs', '--ledger', 'ledger.sqlite', ...server),
          3,
          /check line 2/,
        ],
        [
          'a module without a policy',
          at('--policy', 'empty.mjs', '--ledger', 'ledger.sqlite', ...server),
          3,
          /does not export a policy/,
        ],
        ['a name that is none', at(...usual, '--server', 'a/b', ...server), 2, /`server` must be/],
        [
          'a feature that is not to be named',
          at(...usual, '--pass', 'resources,sampling', ...server),
          2,
          /--pass `sampling`/,
        ],
        ['an unknown way with Unicode', at(...usual, '--unicode', 'keep', ...server), 2, /`unicode` must be/],
        ['a feature that is none', at(...usual, '--block', 'tools', ...server), 2, /--block/],
        ['a check that is none', at(...usual, '--check-arguments', 'some', ...server), 2, /--check-arguments/],
        [
          'a server in a container',
          at(...usual, '--', 'docker', 'run', '-i', '-e', 'TOKEN', 'mcp/github'),
          2,
          /no name/,
        ],
        ['a server behind env', at(...usual, '--', '/usr/bin/env', 'A=1', 'node', 'x.js'), 2, /no name/],
        ['a server behind a shell', at(...usual, '--', 'sh', '-c', 'npx evil'), 2, /no name/],
        [
          'a package from elsewhere',
          at(...usual, '--', 'uvx', '--from', 'git+https://x/evil', 'mcp-git'),
          2,
          /no name/,
        ],
        ['a package under another name', at(...usual, '--', 'npx', '-y', '--package', 'evil', 'mcp-fs'), 2, /no name/],
        ['a package with its option in one', at(...usual, '--', 'npx', '--package=evil', 'mcp-fs'), 2, /no name/],
        ['code on the command line', at(...usual, '--', 'node', '-e', 'run()'), 2, /no name/],
        ['a wrapper', at(...usual, '--', 'sudo', '-u', 'ada', 'mcp-fs'), 2, /no name/],
        ['a script of a package manager', at(...usual, '--', 'npm', 'run', 'server'), 2, /no name/],
        ['a budget that is none', at(...usual, '--budget', 'lots', ...server), 2, /--budget/],
        [
          'an approval that takes too long',
          at(...usual, '--approval-ttl', '604801', ...server),
          2,
          /--approval-ttl `604801` is more than 604800 seconds\n.*from 1 to 604800 seconds/,
        ],
        ['a time with a unit', at(...usual, '--approval-ttl', '5m', ...server), 2, /`5m` is not a number of seconds/],
        ['no time at all', at(...usual, '--timeout', '0', ...server), 2, /--timeout `0` is less than 1 seconds/],
        ['a negative time', at(...usual, '--hold', '-1', ...server), 2, /--hold/],
        [
          'a variable that is not set',
          at(...usual, '--env', 'NOT_SET_ANYWHERE', ...server),
          2,
          /the variable is not set/,
        ],
        ['HTTP without a token', at(...usual, '--http', '127.0.0.1:0', ...server), 2, /need a token/],
        [
          'a token that is too short',
          at(...usual, '--http', '127.0.0.1:0', '--token-file', 'short', ...server),
          3,
          /does not contain a valid token/,
        ],
        ['a key that is none', at(...usual, '--private-key', 'policy.mjs', ...server), 3, /policy\.mjs/],
      ],
      3,
    ),
  )('%s', (_, args, code, says) => {
    writeFileSync(box.path('broken.mjs'), "export const policy = {\n  policyId: 'x',\n  version 1,\n}\n")
    writeFileSync(box.path('throws.mjs'), "const a = 1\nthrow new Error('no')\nexport const policy = { a }\n")
    writeFileSync(box.path('rules.yaml'), 'format: 1\nrulez: []\n')
    writeFileSync(box.path('empty.mjs'), 'export const other = 1\n')
    writeFileSync(box.path('short'), 'short\n')
    const ran = box.run(args)
    expect(ran).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(/^sudoagent: error: [^\n]+\n/) })
    expect(ran.stderr).toMatch(says)
    expect(ran.stderr).not.toContain('internal')
    expect(box.files()).not.toContain('ledger.sqlite')
  })

  it.each<[string, string[], RegExp]>([
    [
      'a ledger that is none',
      ['--policy', 'policy.mjs', '--ledger', 'policy.mjs'],
      /neither a SQLite nor a JSONL ledger/,
    ],
    ['approvals that are none', [...usual, '--approvals', 'policy.mjs'], /`policy\.mjs` cannot be opened/],
    ['a command that is none', usual, /cannot be started: `\/nowhere\/at\/all`: command not found\n.*PATH/],
    ['no token where others can connect', [...usual, '--http', '0.0.0.0:0', '--no-token'], /`token` is required/],
  ])('%s', (_, options, says) => {
    const ran = box.run(['mcp', 'guard', ...options, '--', '/nowhere/at/all'])
    expect(ran.stdout).toBe('')
    expect(ran.code).not.toBe(0)
    expect(ran.stderr).toMatch(says)
    expect(ran.stderr).not.toContain('internal')
  })
})

it.each(['ledger.sqlite.approvals', 'ledger.sqlite.budget', 'ledger.sqlite.tools'])(
  '%s that others can write to, unless that is asked for',
  (name) => {
    const args = [
      'mcp',
      'guard',
      '--policy',
      'policy.mjs',
      '--ledger',
      'ledger.sqlite',
      '--server',
      'files',
      '--budget',
      'per-agent=5',
      '--',
      '/nowhere/at/all',
    ]
    expect(box.run(args).stderr).toContain('command not found')
    chmodSync(box.path(name), 0o666)
    const refused = box.run(args)
    expect([refused.code, refused.stdout]).toEqual([3, ''])
    expect(refused.stderr).toMatch(/other users can write to it .*\n.*--allow-other-writers\n$/)
    const allowed = box.run(['mcp', 'guard', '--allow-other-writers', ...args.slice(2)])
    expect(allowed.stderr).toContain('command not found')
  },
)

it('says how long a call is held unless told: four seconds, which clients wait for', () => {
  const { code, stdout } = box.run(['mcp', 'guard', '--help'])
  expect(code).toBe(0)
  expect(stdout.replace(/\s+/g, ' ')).toMatch(/--hold <seconds> time that a call waits [^(]*\(default: "4"\)/)
})
