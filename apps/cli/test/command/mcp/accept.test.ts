// Tests `mcp accept`, which shows changed tool definitions and accepts them on request.
import { chmodSync, writeFileSync } from 'node:fs'
import { sha256Hex } from '@sudoagent/crypto'
import { SqliteToolPins } from '@sudoagent/mcp/sqlite'
import { beforeEach, describe, expect, it } from 'vitest'
import { connect, hostile, POLICY, textOf } from '../../support/mcp.js'
import { type Sandbox, sandbox } from '../../support/sandbox.js'

let box: Sandbox
beforeEach(() => {
  box = sandbox()
  writeFileSync(box.path('policy.mjs'), POLICY)
  const pins = SqliteToolPins.open(box.path('ledger.sqlite.tools'))
  for (const name of ['read', 'write'])
    pins.see('files', { name, digest: sha256Hex('{}'), text: '{"old":"\u001b[2J"}' })
  pins.close()
})
const ACCEPT = ['mcp', 'accept', 'ledger.sqlite.tools']
const DIGEST = ['--digest', '0'.repeat(64)]
const accept = (...options: string[]) => box.run(['mcp', 'accept', 'ledger.sqlite.tools', ...options])

describe('a tool that has changed', () => {
  it('is refused and hidden, shown by `mcp accept`, and callable as soon as it is accepted', async () => {
    const { client } = await connect(box, hostile('plain', 'pids'), {
      options: ['--server', 'files', '--no-wait-tool'],
    })
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['drop'])
    expect(textOf(await client.callTool({ name: 'read' }))).toContain('TOOL_DEFINITION_CHANGED')
    const listed = accept()
    expect(listed).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringMatching(/^files\/read\n {2}accepted {2}\w{64} .*\n {2}changed {3}\w{64} .*\n/),
    })
    expect(listed.stdout).toContain('2 changed\n')
    expect(listed.stdout).not.toContain('\u001b')
    const [, digest = ''] = /changed {3}(\w{64})/.exec(listed.stdout) ?? []
    expect(accept('--server', 'files', '--tool', 'read', '--digest', digest).stdout).toContain('1 changed, accepted\n')
    expect(textOf(await client.callTool({ name: 'read' }))).toBe('ran read')
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['read', 'drop'])
    const [, whole = ''] = /digest of the list {2}(\w{64})\n$/.exec(accept().stdout) ?? []
    const listing = JSON.parse(accept('--json').stdout)
    expect(listing).toMatchObject({ accepted: false, digest: whole, changes: [{ server: 'files', tool: 'write' }] })
    expect(listing.changes[0]).toMatchObject({
      accepted_digest: sha256Hex('{}'),
      accepted_definition: '{"old":"\u001b[2J"}',
    })
    expect(accept('--all', '--digest', whole).stdout).toContain('1 changed, accepted\n')
    expect(accept().stdout).toBe('0 changed\n')
  })

  it('is accepted as it is seen with --accept-tools', async () => {
    const { client } = await connect(box, hostile('plain', 'pids'), {
      options: ['--server', 'files', '--accept-tools', '--no-wait-tool'],
    })
    expect((await client.listTools()).tools).toHaveLength(3)
    expect(textOf(await client.callTool({ name: 'read' }))).toBe('ran read')
  })
})

it('definitions that others can write to are not opened, unless that is asked for', () => {
  chmodSync(box.path('ledger.sqlite.tools'), 0o666)
  const refused = accept()
  expect([refused.code, refused.stdout]).toEqual([3, ''])
  expect(refused.stderr).toMatch(/other users can write to it .*\n.*--allow-other-writers\n$/)
  expect(accept('--allow-other-writers')).toMatchObject({ code: 0, stderr: '', stdout: '0 changed\n' })
})

describe('what was looked at is accepted, and nothing else', () => {
  const see = (...definitions: [name: string, description: string][]): void => {
    const pins = SqliteToolPins.open(box.path('ledger.sqlite.tools'))
    for (const [name, description] of definitions) {
      const text = JSON.stringify({ description, name })
      pins.see('files', { name, digest: sha256Hex(text), text })
    }
    pins.close()
  }
  const states = (): string[] => {
    const pins = SqliteToolPins.open(box.path('ledger.sqlite.tools'))
    const found = pins.list().map(({ tool, state, definition }) => `${tool} ${state} ${definition}`)
    pins.close()
    return found
  }
  const digests = (): { of: string; list: string } => {
    const { stdout } = accept()
    const [, of = ''] = /changed {3}(\w{64})/.exec(stdout) ?? []
    const [, list = ''] = /digest of the list {2}(\w{64})\n$/.exec(stdout) ?? []
    return { of, list }
  }
  const ONE = ['--server', 'files', '--tool', 'read', '--digest']

  it.each<[string, () => void]>([
    ['it has changed again', () => see(['read', 'EVIL'])],
    [
      'another one was accepted, and it has changed again',
      () => {
        accept(...ONE, digests().of)
        see(['read', 'EVIL'])
      },
    ],
  ])('%s since it was listed: refused', (_, meanwhile) => {
    see(['read', 'v2'])
    const { of, list } = digests()
    meanwhile()
    const before = states()
    for (const options of [
      [...ONE, of],
      ['--all', '--digest', list],
    ])
      expect(accept(...options)).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('nothing was') })
    expect(states()).toEqual(before)
  })

  it('one of the list has changed, or the list is longer: none of it is accepted', () => {
    for (const later of [
      ['write', 'v3'],
      ['new', 'x'],
    ] as const) {
      see(['read', 'v2'], ['write', 'v2'])
      const { list } = digests()
      see([...later], ['new', 'y'])
      expect(accept('--all', '--digest', list).code).toBe(1)
      expect(states().filter((state) => state.includes('v2') && state.includes('accepted'))).toEqual([])
    }
  })

  it('the digest of one is not that of the list, and not that of another tool', () => {
    see(['read', 'v2'], ['write', 'v2'])
    const { of, list } = digests()
    for (const options of [
      [...ONE, list],
      ['--all', '--digest', of],
      ['--server', 'files', '--tool', 'write', '--digest', of],
      [...ONE, '0'.repeat(64)],
    ])
      expect(accept(...options).code).toBe(1)
    expect(accept(...ONE, of)).toMatchObject({ code: 0, stdout: expect.stringContaining('1 changed, accepted\n') })
  })

  it('all of a definition is shown, to its last word, and where it differs', () => {
    const text = `${'x '.repeat(60_000)}LAST WORD`
    see(['read', text])
    const { stdout } = accept()
    expect(stdout).toContain(`"description":"${text}"`)
    expect(stdout).toContain('\n  - {"old":"\\u{1b}[2J"}\n')
    expect(stdout).toContain(`\n  +   "description": "${text}",\n`)
  })

  it('what the server says of itself is one of them, under an option of its own', () => {
    const pins = SqliteToolPins.open(box.path('ledger.sqlite.tools'))
    for (const text of ['{"instructions":"a"}', '{"instructions":"b"}'])
      pins.see('files', { name: '', digest: sha256Hex(text), text })
    pins.close()
    expect(accept().stdout).toMatch(/^files: instructions and name of the server\n/)
    expect(accept('--server', 'files', '--instructions', '--digest', digests().of)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('1 changed, accepted\n'),
    })
  })
})

describe('cannot', () => {
  it.each<[string, string[], number]>([
    ['without a file', ['mcp', 'accept'], 2],
    ['a file that is missing', ['mcp', 'accept', 'none'], 3],
    ['a file that is something else', ['mcp', 'accept', 'policy.mjs'], 3],
    ['a tool without its server', [...ACCEPT, '--tool', 'read', ...DIGEST], 2],
    ['instructions without their server', [...ACCEPT, '--instructions', ...DIGEST], 2],
    ['a tool without a digest', [...ACCEPT, '--server', 'files', '--tool', 'read'], 2],
    ['all of them without a digest', [...ACCEPT, '--all'], 2],
    ['a digest of nothing', [...ACCEPT, ...DIGEST], 2],
    ['a digest that is none', [...ACCEPT, '--all', '--digest', 'abc'], 2],
    ['a tool and all of them', [...ACCEPT, '--server', 'files', '--tool', 'read', '--all', ...DIGEST], 2],
    ['a tool that has not changed', [...ACCEPT, '--server', 'files', '--tool', 'read', ...DIGEST], 1],
    ['another list', [...ACCEPT, '--all', ...DIGEST], 1],
  ])('%s', (_, args, code) => {
    const ran = box.run(args)
    expect(ran).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(/^sudoagent: error: [^\n]+\n/) })
    expect(ran.stderr).not.toContain('internal')
    expect(box.files()).not.toContain('none')
  })
})

describe('a guard with rules', () => {
  it('hides what they deny, and refuses new tools and unlisted arguments where it is told to', async () => {
    writeFileSync(
      box.path('rules.yaml'),
      "sudoagent_policy: 1\nid: r\nversion: '1'\nrules:\n  - { id: a, server: plain, tool: [read, drop], effect: allow, reason: fine }\n",
    )
    const options = [
      '--policy',
      'rules.yaml',
      '--server',
      'plain',
      '--hide-denied',
      '--no-new-tools',
      '--check-arguments',
      'schema',
    ]
    const { client } = await connect(box, hostile('plain', 'pids'), { options })
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['read', 'drop'])
    expect(textOf(await client.callTool({ name: 'read' }))).toBe('ran read')
    expect(textOf(await client.callTool({ name: 'write' }))).toContain('POLICY_NO_RULE')
  })

  it('drops a null that the tool does not take, where it is told to', async () => {
    const call = { name: 'read', arguments: { limit: null } }
    const { client } = await connect(box, hostile('typed', 'pids'), { options: ['--omit-null-arguments'] })
    expect(textOf(await client.callTool(call))).toBe('{}')
    const other = await connect(box, hostile('typed', 'pids'))
    expect(textOf(await other.client.callTool(call))).toBe('{"limit":null}')
  })
})
