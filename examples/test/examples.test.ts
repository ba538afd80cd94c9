// Runs every example as a reader would: built, in an empty folder, without a terminal. Each example asserts its own
// result; this test asserts that it completed.
import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const dist = join(root, 'examples/dist')
const bin = join(root, 'node_modules/sudoagent/bin/sudoagent.cjs')

/** The last line of each example. Every file in `src/` is listed here or is part of another example. */
const LAST_LINES: ReadonlyMap<string, RegExp> = new Map([
  ['custom-approver', /^production: 1 of 2$/],
  ['custom-ledger', /^ran 1 time; 4 entries, 1 open decision that never ran$/],
  ['custom-policy', /^salaries: not on the list$/],
  [
    'demo',
    /^Done: the ledger verifies, no forged copy does, and the reports say why\. All files are in demo-output\/$/,
  ],
  ['mcp-files', /^ledger: intact, 9 decisions, 2 outcomes$/],
  ['non-interactive-deny', /^denied: no terminal is available$/],
  ['policy-file', /^7 decisions, each with its rule$/],
  ['quickstart', /^ledger: intact, 2 decisions, 1 outcome$/],
  ['stopped-fleet', /^resumed: invoice 6 sent$/],
  ['waiting-call', /^ledger: signed, 1 decision, 1 outcome$/],
  ['workflow-demo', /^ledger: signed, 9 entries; receipt for entry 5: signed in a tree of 9$/],
])
const PARTS = ['airline', 'fleet-agent', 'mcp-files-policy', 'waiting-agent']

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
  it.each([...LAST_LINES].filter(([name]) => name !== 'demo'))('%s', (name, lastLine) => {
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
  expect(text).toMatch(/ signed: nothing was changed.*\n[\s\S]* broken: \d+ findings?, the first at entry 13;/)
  expect(text).toContain('entry 13: entry_hash does not match its content (ENTRY_HASH_MISMATCH)')
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
    const commands = [...text.matchAll(/npx -y sudoagent@[\d.]+ (\w+) (.*)$/gm)]
    expect(commands.map(([, name]) => name)).toEqual(['verify', 'checkpoint'])
    for (const [, name = '', rest = ''] of commands) {
      const help = run(bin, [name, '--help'], root)
      expect(help.status).toBe(0)
      const known = help.lines.flatMap((line) => /^ {2}(?:-\w, )?(--[\w-]+)/.exec(line)?.[1] ?? [])
      for (const option of rest.match(/--[\w-]+/g) ?? []) expect(known).toContain(option)
    }
  })

  it('compares each ledger with the checkpoint that the last successful run kept', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sudoagent-ci-'))
    const at = (...names: string[]): string => join(folder, ...names)
    for (const name of ['agent', 'bin', 'artifact']) mkdirSync(at(name))
    const program = (name: string, script: string): void =>
      writeFileSync(at('bin', name), `#!/bin/bash\n${script}\n`, { mode: 0o755 })
    // Stand-ins for `npx -y sudoagent@version …` and for GitHub's command line. `run list` prints the file `runs`, and
    // `run download` copies the files in `artifact`.
    program('npx', `shift 2; exec "${process.execPath}" "${bin}" "$@"`)
    program('gh', `if [ "$2" = list ]; then cat "${at('runs')}"; else cp "${at('artifact')}"/* kept/; fi`)
    writeFileSync(at('runs'), '')
    const demo = (name: string): string => join(root, 'demo-output', name)
    copyFileSync(demo('public-key.pem'), at('agent/public-key.pem'))
    const steps = [...text.matchAll(/^( +)run: (?:\|\n((?:\1 {2}.*\n)+)|(.*))/gm)].map(
      ([, , many, one]) => many ?? one ?? '',
    )
    expect(steps).toHaveLength(3)
    /** Runs the steps until one fails, as GitHub does. The checkpoint is kept only if all steps succeed. */
    const job = (ledger: string): number => {
      copyFileSync(ledger, at('agent/ledger.sqlite'))
      rmSync(at('agent/ledger.sqlite.head'), { force: true })
      if (existsSync(`${ledger}.head`) && ledger.startsWith(folder))
        copyFileSync(`${ledger}.head`, at('agent/ledger.sqlite.head'))
      rmSync(at('kept'), { recursive: true, force: true })
      const env = {
        PATH: `${at('bin')}:${process.env.PATH}`,
        GITHUB_WORKFLOW: 'w',
        GITHUB_REF_NAME: 'main',
        HOME: folder,
      }
      for (const step of steps) {
        const { status } = spawnSync('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', step], {
          cwd: folder,
          env,
        })
        if (status !== 0) return status ?? 255
      }
      copyFileSync(at('ledger.checkpoint'), at('artifact/ledger.checkpoint'))
      writeFileSync(at('runs'), '7\n')
      return 0
    }
    expect(job(demo('tampered.sqlite'))).not.toBe(0)
    expect(job(demo('ledger.sqlite'))).toBe(0)
    expect(readFileSync(at('artifact/ledger.checkpoint'), 'utf8')).toMatch(/\n22\n/)
    expect(job(demo('ledger.sqlite'))).toBe(0)
    expect(JSON.parse(readFileSync(at('report.json'), 'utf8')).verdict).toBe('anchored')
    // The signer truncated the ledger and signed a head for the rest: only the kept checkpoint reveals it.
    const lines = readFileSync(demo('ledger.jsonl'), 'utf8').split('\n')
    writeFileSync(at('short.jsonl'), `${lines.slice(0, 12).join('\n')}\n`)
    const args = ['checkpoint', at('short.jsonl'), '--private-key', demo('private-key.pem'), '--output', at('new.head')]
    expect(run(bin, args, folder).status).toBe(0)
    copyFileSync(at('new.head'), at('short.jsonl.head'))
    expect(job(at('short.jsonl'))).not.toBe(0)
    writeFileSync(at('runs'), '')
    expect(job(at('short.jsonl'))).toBe(0)
    // The checkpoint is missing: a job that succeeded before must not fall back to a lower grade.
    rmSync(at('artifact/ledger.checkpoint'))
    expect(job(demo('ledger.sqlite'))).not.toBe(0)
    rmSync(folder, { recursive: true })
  })
})
