// Every example runs as a reader would run it: built, in an empty folder, without a terminal. Each asserts its own result; this test asserts
// that it got to its end.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { isLong } from '../../test/tier.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const dist = join(root, 'examples/dist')
const bin = join(root, 'node_modules/sudoagent/bin/sudoagent.cjs')

const ADAPTERS = [
  'ai',
  'claude-agent-sdk',
  'genkit',
  'langchain',
  'llamaindex',
  'mastra',
  'mcp-server',
  'openai-agents',
]
/** The last line of each example; every one in `src/` is here, or is a part of another. */
const LAST_LINES: ReadonlyMap<string, RegExp> = new Map([
  ...ADAPTERS.map((name) => [`adapter-${name}`, /^ledger: intact, 2 decisions, 1 outcome$/] as const),
  ['custom-approver', /^production: 1 of 2$/],
  ['custom-ledger', /^ran 1 time; 4 entries, 1 open decision that never ran$/],
  ['custom-policy', /^salaries: not on the list$/],
  ['demo', /^Done: the ledger verifies, no forged copy does, and the reports say why\. All of it is in demo-output\/$/],
  ['mcp-files', /^ledger: intact, 9 decisions, 2 outcomes$/],
  ['non-interactive-deny', /^denied: no terminal to ask on$/],
  ['policy-file', /^7 decisions, each with its rule$/],
  ['quickstart', /^ledger: intact, 2 decisions, 1 outcome$/],
  ['workflow-demo', /^ledger: signed, 8 entries; receipt for entry 4: signed in a tree of 8$/],
])
const PARTS = ['airline', 'refunds', 'mcp-files-policy']

interface Ran {
  readonly status: number | null
  readonly lines: readonly string[]
  readonly stderr: string
}

function run(script: string, args: readonly string[], cwd: string): Ran {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 120_000,
  })
  return { status, lines: stdout.trimEnd().split('\n'), stderr }
}

it('knows every example', () => {
  const sources = readdirSync(join(root, 'examples/src')).map((name) => name.replace(/\.ts$/, ''))
  expect(sources.sort()).toEqual([...LAST_LINES.keys(), ...PARTS].sort())
})

describe('runs to its end', () => {
  // Each loads its framework: the short form takes one of the adapters.
  const isShort = (name: string): boolean => !name.startsWith('adapter-') || name === 'adapter-ai'
  it.each([...LAST_LINES].filter(([name]) => name !== 'demo' && (isLong || isShort(name))))('%s', (name, lastLine) => {
    const folder = mkdtempSync(join(tmpdir(), 'sudoagent-example-'))
    try {
      const { status, lines, stderr } = run(join(dist, `${name}.js`), [], folder)
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
      expect(lines.at(-1)).toMatch(lastLine)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})

it('the demo: the ledger and a receipt verify, a copy with one byte changed and one that was cut do not, and the reports say why', () => {
  const { status, lines, stderr } = run(join(dist, 'demo.js'), [], root)
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  expect(lines.at(-1)).toMatch(LAST_LINES.get('demo') ?? /never/)
  const text = lines.join('\n')
  expect(text).toMatch(/ signed: nothing was changed.*\n[\s\S]* broken: \d+ findings?, the first at entry 11;/)
  expect(text).toContain('entry 11: entry_hash does not match its content (ENTRY_HASH_MISMATCH)')
  expect(text).toContain('(TRUNCATED)')

  const at = (name: string): string => join(root, 'demo-output', name)
  const [ledger, copy] = [readFileSync(at('ledger.sqlite')), readFileSync(at('tampered.sqlite'))]
  expect(ledger.length).toBe(copy.length)
  expect([...ledger].filter((byte, index) => byte !== copy[index])).toHaveLength(1)
  for (const name of ['ledger.sqlite', 'ledger.jsonl']) {
    expect(run(bin, ['verify', at(name), '--public-key', at('public-key.pem')], root).status, name).toBe(0)
  }
})

describe('the CI job', () => {
  const text = readFileSync(join(root, 'examples/ci/verify-ledger.yml'), 'utf8')

  it('is YAML as far as it matters: no tab, two spaces a level, the keys that GitHub asks for', () => {
    expect(text).not.toMatch(/\t/)
    for (const line of text.split('\n'))
      expect(/^ */.exec(line)?.[0].length ?? 0, line).toSatisfy((n: number) => n % 2 === 0)
    for (const key of ['name', 'on', 'permissions', 'jobs']) expect(text).toMatch(new RegExp(`^${key}:`, 'm'))
  })

  it('runs a command that exists, with options that it has', () => {
    const commands = [...text.matchAll(/run: npx -y sudoagent (\w+) (.*)$/gm)]
    expect(commands.map(([, name]) => name)).toContain('verify')
    for (const [, name = '', rest = ''] of commands) {
      const help = run(bin, [name, '--help'], root)
      expect(help.status).toBe(0)
      const known = help.lines.flatMap((line) => /^ {2}(?:-\w, )?(--[\w-]+)/.exec(line)?.[1] ?? [])
      for (const option of rest.match(/--[\w-]+/g) ?? []) expect(known).toContain(option)
    }
  })
})
