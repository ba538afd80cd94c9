// `mcp accept`: what has changed is shown, and accepted when somebody says so.
import { writeFileSync } from 'node:fs'
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
const accept = (...options: string[]) => box.run(['mcp', 'accept', 'ledger.sqlite.tools', ...options])

describe('a tool that has changed', () => {
  it('is refused and hidden, shown by `mcp accept`, and callable as soon as it is accepted', async () => {
    const { client } = await connect(box, hostile('plain', 'pids'), { options: ['--server', 'files'] })
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
    expect(accept('--server', 'files', '--tool', 'read').stdout).toContain('1 changed, accepted\n')
    expect(textOf(await client.callTool({ name: 'read' }))).toBe('ran read')
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['read', 'drop'])
    expect(accept('--all').stdout).toContain('1 changed, accepted\n')
    expect(accept().stdout).toBe('0 changed\n')
  })

  it('is accepted as it is seen with --accept-tools', async () => {
    const { client } = await connect(box, hostile('plain', 'pids'), {
      options: ['--server', 'files', '--accept-tools'],
    })
    expect((await client.listTools()).tools).toHaveLength(3)
    expect(textOf(await client.callTool({ name: 'read' }))).toBe('ran read')
  })
})

describe('cannot', () => {
  it.each<[string, string[], number]>([
    ['without a file', ['mcp', 'accept'], 2],
    ['a file that is missing', ['mcp', 'accept', 'none'], 3],
    ['a file that is something else', ['mcp', 'accept', 'policy.mjs'], 3],
    ['a tool without its server', ['mcp', 'accept', 'ledger.sqlite.tools', '--tool', 'read'], 2],
    ['a tool that has not changed', ['mcp', 'accept', 'ledger.sqlite.tools', '--server', 'files', '--tool', 'read'], 1],
  ])('%s', (_, args, code) => {
    const ran = box.run(args)
    expect(ran).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(/^sudoagent: error: [^\n]+\n/) })
    expect(ran.stderr).not.toContain('internal')
    expect(box.files()).not.toContain('none')
  })
})
