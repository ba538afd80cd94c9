// Tests the README's first screen in an empty folder, with the packages as `npm pack` creates them. The code must run
// unchanged, print the shown output, and leave a signed ledger that `sudoagent verify` accepts.
//
// In the long form, npm and pnpm compile the native module for the Node that runs the tests. SUDOAGENT_TEST_NODES adds
// other installations of Node: prefixes separated by `:`, each with `bin/node` and the headers in `include/node`.
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AllowAllPolicy, SudoEngine } from '../packages/core/dist/index.js'
import { openLedgerReader, select } from '../packages/ledger/dist/index.js'
import { packTarballs } from './fixtures/tarballs.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const run = promisify(execFile)
const PACKAGES = ['packages/crypto', 'packages/ledger', 'packages/core', 'apps/cli'] as const

const [, CODE = '', OUTPUT = ''] =
  /```ts\n([\s\S]*?)```[\s\S]*?```text\n([\s\S]*?)```/.exec(readFileSync(join(root, 'README.md'), 'utf8')) ?? []

interface Installation {
  readonly name: string
  readonly env: NodeJS.ProcessEnv
}

/** The Node that runs the tests, and the installations in SUDOAGENT_TEST_NODES. */
const NODES: readonly Installation[] = [
  { name: `Node ${process.version}`, env: process.env },
  ...(process.env.SUDOAGENT_TEST_NODES ?? '')
    .split(delimiter)
    .filter((prefix) => prefix !== '')
    .map((prefix) => ({
      name: prefix,
      env: {
        ...process.env,
        npm_config_nodedir: prefix,
        PATH: `${join(prefix, 'bin')}${delimiter}${process.env.PATH}`,
      },
    })),
]

let base = ''
let tarballs: ReadonlyMap<string, string>

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'sudoagent-first-screen-'))
  tarballs = await packTarballs(PACKAGES, base)
}, 300_000)

afterAll(() => rmSync(base, { recursive: true, force: true }))

/** Creates the folder of a user who has not installed anything yet. */
function emptyFolder(): string {
  const folder = mkdtempSync(join(base, 'app-'))
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true }))
  return folder
}

/** Installs the packages. Until the packages are published, each package name is mapped to a tarball. */
async function npmInstall(folder: string, env: NodeJS.ProcessEnv, flags: readonly string[] = []): Promise<void> {
  const args = ['install', '--no-audit', '--no-fund', '--prefer-offline', ...flags, ...tarballs.values()]
  await run('npm', args, { cwd: folder, env })
}

async function pnpmInstall(folder: string, env: NodeJS.ProcessEnv): Promise<void> {
  const overrides = [...tarballs].map(([name, file]) => `  '${name}': 'file:${file}'`)
  const settings = ['packages: []', 'overrides:', ...overrides, 'allowBuilds:', '  better-sqlite3: true', '']
  writeFileSync(join(folder, 'pnpm-workspace.yaml'), settings.join('\n'))
  const names = ['@sudoagent/core', 'sudoagent'].map((name) => tarballs.get(name) ?? '')
  await run('npx', ['-y', 'pnpm@10.34.9', 'add', '--prefer-offline', '-w', ...names], { cwd: folder, env })
}

const bin = (folder: string, args: readonly string[], env: NodeJS.ProcessEnv) =>
  run(join(folder, 'node_modules/.bin/sudoagent'), args, { cwd: folder, env })

/** Writes a SQLite ledger of one call with the workspace's build. @returns the request ID of the call */
async function writeSqliteLedger(folder: string): Promise<string> {
  const engine = await SudoEngine.open({
    agentId: 'bot',
    policy: new AllowAllPolicy(),
    ledger: join(folder, 'made.sqlite'),
    privateKey: join(folder, 'made.key.pem'),
  })
  await engine.guard('refund', async () => 'refunded')()
  await engine.close()
  const reader = await openLedgerReader(join(folder, 'made.sqlite'))
  let requestId = ''
  for await (const { entry } of select(reader, { event: 'decision' })) requestId = String(entry.request_id)
  await reader.close()
  return requestId
}

describe.each(NODES)('$name', ({ env }) => {
  it.each([
    ['npm', npmInstall],
    ['pnpm', pnpmInstall],
  ] as const)(
    '%s builds the native module, and the first screen gives a signed ledger',
    async (_, install) => {
      const folder = emptyFolder()
      await install(folder, env)
      writeFileSync(join(folder, 'app.mjs'), CODE)
      expect((await run('node', ['app.mjs'], { cwd: folder, env })).stdout).toBe(OUTPUT)
      const { stdout } = await bin(folder, ['verify', 'ledger.sqlite', '--public-key', 'ledger.pub.pem', '--json'], env)
      expect(JSON.parse(stdout)).toMatchObject({ ok: true, verdict: 'signed', entries: 4 })
    },
    600_000,
  )

  it('without build scripts: one line says how to build, JSONL works, and SQLite is read where Node can', async () => {
    const folder = emptyFolder()
    await npmInstall(folder, env, ['--ignore-scripts'])
    writeFileSync(join(folder, 'app.mjs'), CODE)
    const failed = await run('node', ['app.mjs'], { cwd: folder, env }).catch((error: { stderr: string }) => error)
    expect(failed.stderr.split('\n').filter((line) => line.includes('npm rebuild better-sqlite3'))).toHaveLength(1)

    writeFileSync(join(folder, 'lines.mjs'), CODE.replace("'ledger.sqlite'", "'ledger.jsonl'"))
    for (const entries of [4, 7]) {
      expect((await run('node', ['lines.mjs'], { cwd: folder, env })).stdout).toBe(OUTPUT)
      const { stdout } = await bin(folder, ['verify', 'ledger.jsonl', '--public-key', 'ledger.pub.pem', '--json'], env)
      expect(JSON.parse(stdout)).toMatchObject({ ok: true, verdict: 'signed', entries })
    }

    const hasSqlite = await run('node', ['-e', "require('node:sqlite')"], { cwd: folder, env }).catch(() => null)
    if (hasSqlite === null) return
    const requestId = await writeSqliteLedger(folder)
    const { stdout: verified } = await bin(folder, ['verify', 'made.sqlite', '--public-key', 'made.pub.pem'], env)
    expect(verified).toMatch(/^signed: /)
    expect((await bin(folder, ['show', 'made.sqlite', requestId], env)).stdout).toContain('refund')
    await bin(folder, ['receipt', 'made.sqlite', '--request-id', requestId, '--output', 'receipt.json'], env)
    expect(readFileSync(join(folder, 'receipt.json'), 'utf8')).toContain(requestId)
  }, 600_000)
})
