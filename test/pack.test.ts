// Tests the packages as users get them: packed with `npm pack` and installed by npm into an empty folder.
//
// If there is no prebuilt native module, compiling one takes a minute. The short form therefore installs without
// scripts and uses the workspace's build. The slow form lets npm build the module.
import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { packTarballs } from './fixtures/tarballs.js'
import { TIER } from './tier.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const packages = [
  'packages/crypto',
  'packages/ledger',
  'packages/witness',
  'packages/core',
  'packages/adapters',
  'packages/policy',
  'packages/mcp',
  'packages/postgres',
  'apps/cli',
]
const slow = TIER === 'slow'
const run = promisify(execFile)
let folder = ''

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sudoagent-install-'))
  const tarballs = [...(await packTarballs(packages, folder)).values()]
  expect(tarballs).toHaveLength(packages.length)
  writeFileSync(join(folder, 'package.json'), '{"private":true,"type":"module"}')
  const flags = ['--no-audit', '--no-fund', '--prefer-offline', ...(slow ? [] : ['--ignore-scripts'])]
  await run('npm', ['install', ...flags, ...tarballs], { cwd: folder })
  if (slow) return
  const built = join(realpathSync(join(root, 'packages/ledger/node_modules/better-sqlite3')), 'build')
  cpSync(built, join(folder, 'node_modules/better-sqlite3/build'), { recursive: true })
}, 300_000)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('installed from tarballs', () => {
  it('@sudoagent/core is imported, guards a call, and the bin verifies what it left', async () => {
    writeFileSync(
      join(folder, 'app.js'),
      `import { AllowAllPolicy, SudoEngine } from '@sudoagent/core'
       import { SqliteApprovalStore } from '@sudoagent/core/sqlite'
       import { SqliteLedger } from '@sudoagent/ledger/sqlite'
       const ledger = SqliteLedger.open('ledger.sqlite')
       const engine = new SudoEngine({ policy: new AllowAllPolicy(), agentId: 'bot', ledger })
       console.log(await engine.guard(async function add({ a, b }) { return a + b })({ a: 1, b: 2 }))
       await ledger.close()
       await SqliteApprovalStore.open('approvals.sqlite').close()`,
    )
    expect((await run(process.execPath, ['app.js'], { cwd: folder })).stdout).toBe('3\n')
    const bin = join(folder, 'node_modules/.bin/sudoagent')
    const { stdout } = await run(bin, ['verify', 'ledger.sqlite', '--json'], { cwd: folder })
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, verdict: 'intact', entries: 3 })
  })

  it('@sudoagent/adapters brings no framework, and needs the code of one only for LangChain', async () => {
    const subpaths = ['ai', 'openai-agents', 'mastra', 'genkit', 'llamaindex', 'claude-agent-sdk', 'mcp-server']
    const source = `const names = ${JSON.stringify(subpaths)}
      const adapters = await Promise.all(names.map((name) => import('@sudoagent/adapters/' + name)))
      console.log(adapters.every((adapter) => typeof (adapter.guardTool ?? adapter.guardToolCalls) === 'function'))
      console.log(await import('@sudoagent/adapters/langchain').catch((error) => error.code))`
    writeFileSync(join(folder, 'adapters.js'), source)
    const { stdout } = await run(process.execPath, ['adapters.js'], { cwd: folder })
    expect(stdout).toBe('true\nERR_MODULE_NOT_FOUND\n')
  })

  it('the types are found', async () => {
    writeFileSync(
      join(folder, 'app.ts'),
      `import { guardTools } from '@sudoagent/adapters/ai'
       import { AllowAllPolicy, SudoEngine } from '@sudoagent/core'
       import { MemoryLedger } from '@sudoagent/ledger/memory'
       import { type CosignedCheckpoint, cosign } from '@sudoagent/witness'
       import { SqliteWitnessStore } from '@sudoagent/witness/sqlite'
       export const asked: (options: Parameters<typeof cosign>[0]) => Promise<CosignedCheckpoint> = cosign
       export const open: (path: string) => SqliteWitnessStore = SqliteWitnessStore.open
       const engine = new SudoEngine({ policy: new AllowAllPolicy(), agentId: 'bot', ledger: new MemoryLedger() })
       export const tools: { add: { execute(sum: { a: number }): number } } = guardTools(engine, { add: { execute: ({ a }) => a } })
       export const sum: Promise<number> = engine.guard(async function add(a: number, b: number) { return a + b })(1, 2)
       // @ts-expect-error a string is not a number
       export const wrong: Promise<string> = engine.guard(async function add(a: number) { return a })(1)`,
    )
    const tsc = join(root, 'node_modules/.bin/tsc')
    // Uses Node's types, as every program for Node does, and also checks the declarations.
    const types = ['--typeRoots', join(root, 'node_modules/@types'), '--types', 'node']
    const flags = [
      '--noEmit',
      '--strict',
      '--skipLibCheck',
      'false',
      '--module',
      'nodenext',
      '--target',
      'es2022',
      ...types,
    ]
    await expect(run(tsc, [...flags, 'app.ts'], { cwd: folder })).resolves.toMatchObject({ stdout: '' })
  })

  it('carries what it should and nothing else', () => {
    for (const name of ['crypto', 'ledger', 'witness', 'core', 'adapters', 'postgres']) {
      const files = readdirSync(join(folder, 'node_modules/@sudoagent', name)).sort()
      expect(files).toEqual(['LICENSE', 'README.md', 'dist', 'package.json'])
    }
    expect(readdirSync(join(folder, 'node_modules/sudoagent')).sort()).toEqual([
      'LICENSE',
      'README.md',
      'bin',
      'dist',
      'package.json',
    ])
    // The CLI's bundle contains our packages and some third-party packages.
    const cli = join(folder, 'node_modules/sudoagent')
    expect(readdirSync(join(cli, 'dist'))).toContain('THIRD-PARTY-LICENSES.txt')
    const { dependencies } = JSON.parse(readFileSync(join(cli, 'package.json'), 'utf8')) as { dependencies: object }
    expect(Object.keys(dependencies).filter((name) => name.startsWith('@sudoagent/'))).toEqual([])
  })
})
