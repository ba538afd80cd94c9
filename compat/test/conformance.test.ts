// The server checks of @modelcontextprotocol/conformance give the same results with and without the guard.
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { AllowAllPolicy, SudoEngine } from '@sudoagent/core'
import { verify } from '@sudoagent/ledger'
import { MemoryLedger } from '@sudoagent/ledger/memory'
import { ChildUpstream, Guard, type GuardTransport, HttpUpstream, MemoryToolPins, serveGuard } from '@sudoagent/mcp'
import { expect, onTestFinished, test } from 'vitest'
import { fixture, startReference } from '../../packages/mcp/test/support/reference.js'

const suite = join(import.meta.dirname, '../node_modules/@modelcontextprotocol/conformance/dist/index.js')

/** Runs all scenarios against a server. @returns `scenario/check: status`, sorted, without informational checks */
async function check(url: string, what: readonly string[] = ['--suite', 'all']): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'sudoagent-conformance-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const args = [
    '--import',
    join(import.meta.dirname, 'conformance-node20.mjs'),
    suite,
    'server',
    '--url',
    url,
    ...what,
    '-o',
    folder,
  ]
  // The suite exits with 1 if a check fails; the results show which check failed.
  await promisify(execFile)(process.execPath, args, { timeout: 150_000, maxBuffer: 64 * 1024 * 1024 }).catch(() => {})
  const results = readdirSync(folder).flatMap((name) => {
    const scenario = name.replace(/^server-(.*)-\d{4}-\d\d-\d\dT.*$/, '$1')
    const checks = JSON.parse(readFileSync(join(folder, name, 'checks.json'), 'utf8')) as {
      id: string
      status: string
    }[]
    return checks.filter(({ status }) => status !== 'INFO').map(({ id, status }) => `${scenario}/${id}: ${status}`)
  })
  return results.sort()
}

async function guarded(upstream: () => GuardTransport): Promise<{ url: string; ledger: MemoryLedger }> {
  const ledger = new MemoryLedger()
  const guard = new Guard({
    server: 'reference',
    engine: new SudoEngine({ policy: new AllowAllPolicy(), ledger, agentId: 'suite' }),
    // The policy never asks a person, and the list of tools is compared with that of the server.
    waitTool: false,
    pass: ['resources', 'prompts', 'completion'],
    pins: new MemoryToolPins(),
  })
  const server = await serveGuard({ guard, upstream, token: null })
  onTestFinished(async () => {
    await guard.close()
    await server.close()
  })
  return { url: server.url, ledger }
}

/**
 * Checks that expect a stream even if no message precedes the answer. The guard answers those requests
 * with JSON.
 */
const OF_STREAMS = /\/server-sse-(?:streams-functional|priming-event|retry-field): /

test('the same results with the guard as without it', async () => {
  const reference = await startReference()
  const direct = await check(reference.href)
  expect(direct.length).toBeGreaterThan(40)
  expect(direct.filter((line) => line.endsWith('FAILURE'))).toEqual([])
  const { url, ledger } = await guarded(() => new HttpUpstream({ url: reference }))
  expect(await check(url)).toEqual(direct.filter((line) => !OF_STREAMS.test(line)))
  // The ledger also contains every call of the suite.
  const report = await verify(ledger.reader())
  expect(report.ok).toBe(true)
  expect(report.decisions).toBeGreaterThan(10)
})

// Each scenario over stdio starts a process, so only the scenarios that need messages in both directions run here.
test.each(['tools-call-with-progress', 'tools-call-sampling', 'tools-call-elicitation'])(
  'a server on stdio behind HTTP: %s',
  async (scenario) => {
    const args = [fixture('reference-server.mjs'), 'stdio']
    const { url } = await guarded(() => new ChildUpstream({ command: process.execPath, args }))
    const results = await check(url, ['--scenario', scenario])
    expect(results).toEqual([expect.stringMatching(/: SUCCESS$/)])
  },
)
