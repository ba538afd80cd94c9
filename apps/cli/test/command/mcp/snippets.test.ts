// Checks the configurations in docs/mcp.md: each one starts `mcp guard` with valid options and a server command.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parsePolicyFile } from '@sudoagent/policy'
import { expect, it } from 'vitest'
import type { Json } from '../../support/mcp.js'
import { hasProgram, Sandbox, skipUnless } from '../../support/sandbox.js'

const page = readFileSync(fileURLToPath(new URL('../../../../../docs/mcp.md', import.meta.url)), 'utf8')
const blocks = (language: string): string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(([, text = '']) => text)
const { version } = JSON.parse(
  readFileSync(fileURLToPath(new URL('../../../package.json', import.meta.url)), 'utf8'),
) as { readonly version: string }
const box = new Sandbox()
const help = box.run(['mcp', 'guard', '--help']).stdout
box.remove()

function expectGuard(args: readonly string[]): void {
  const [before, behind] = [args.slice(0, args.indexOf('--')), args.slice(args.indexOf('--') + 1)]
  // The version is pinned, so a later release runs only after the user changes the version.
  expect(before).toContain(`sudoagent@${version}`)
  expect(before.slice(before.indexOf(`sudoagent@${version}`))).toEqual(
    expect.arrayContaining(['mcp', 'guard', '--policy', '--ledger']),
  )
  for (const option of before.filter((word) => word.startsWith('--'))) expect(help).toContain(`  ${option} `)
  expect(behind.length).toBeGreaterThan(1)
}

it('in JSON', () => {
  const configs = blocks('json').map((text) => JSON.parse(text) as Json)
  const servers = configs.flatMap((config) => Object.values(config.mcpServers ?? config.servers)) as Json[]
  expect(servers).toHaveLength(3)
  for (const { command, args } of servers.filter((server) => server.command !== undefined)) {
    expect(command).toBe('npx')
    expectGuard(args)
  }
})

it('names no package without a version', () => {
  expect(page.match(/npx -y sudoagent(?!@)|"-y", "sudoagent(?!@)/g)).toBeNull()
})

it('and the rules are rules', () => {
  const [rules = ''] = blocks('yaml')
  expect(parsePolicyFile(rules, 'notes.yaml').rules.map(({ id }) => id)).toEqual(['read', 'write'])
})

it('in Python', () => {
  for (const text of blocks('python')) {
    const [, list = ''] = /args=\[([\s\S]*?)\]/.exec(text) ?? []
    expectGuard([...list.matchAll(/"([^"]*)"/g)].map(([, word = '']) => word))
  }
})

it.skipIf(skipUnless(hasProgram('python3'), 'python3 is missing, so the Python code in docs/mcp.md is not parsed'))(
  'which is Python',
  () => {
    const programs = blocks('python')
    expect(programs).toHaveLength(2)
    for (const input of programs) {
      const { status, stderr } = spawnSync('python3', ['-c', 'import ast, sys; ast.parse(sys.stdin.read())'], {
        input,
        encoding: 'utf8',
      })
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    }
  },
)
