// kill -9 in the middle of guarded calls, with real processes and real files: nothing may have run without a durable decision, nothing that was
// acknowledged may be missing, and the ledger goes on.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { generatePrivateKey, type PublicKey } from '@sudoagent/crypto'
import { isCallEntry, openLedger, select, verify } from '@sudoagent/ledger'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const worker = fileURLToPath(new URL('fixtures/worker.mjs', import.meta.url))
const KILLS = process.env.SLOW === '1' ? 250 : 8

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sudoagent-crash-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Runs a worker and kills it `ms` milliseconds after it was ready. @returns the last call that it was told is done */
function runAndKill(kind: string, offset: number, ms: number, key: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [worker, kind, folder, String(offset)], {
      env: { ...process.env, WORKER_KEY: key },
    })
    let output = ''
    let errors = ''
    child.stderr.on('data', (chunk) => (errors += chunk))
    child.stdout.on('data', (chunk) => {
      if (output === '') setTimeout(() => child.kill('SIGKILL'), ms)
      output += chunk
    })
    child.on('exit', (code) => {
      if (code !== null) return reject(new Error(`worker ended by itself: ${errors}`))
      const done = output.split('\n').slice(1, -1)
      resolve(Number(done.at(-1) ?? offset - 1))
    })
  })
}

async function check(kind: string, publicKey: PublicKey, acknowledged: ReadonlySet<number>): Promise<void> {
  const reader = await openLedger(join(folder, `ledger.${kind}`))
  const report = await verify(reader, { publicKeys: [publicKey] })
  // What a kill may leave: a line that was being written, or a ledger that has no entry yet, of which the first head may be there already.
  const harmless = report.findings.filter(
    ({ code }) => code === 'LINE_TORN' || (report.entries === 0 && ['LEDGER_EMPTY', 'TRUNCATED'].includes(code)),
  )
  expect(report.findings_total - harmless.length, JSON.stringify(report.findings)).toBe(0)
  const decided = new Set<number>()
  const finished = new Set<number>()
  for await (const { entry } of select(reader)) {
    if (isCallEntry(entry)) (entry.event === 'decision' ? decided : finished).add(entry.parameters.kwargs.n as number)
  }
  await reader.close()
  const ran = existsSync(join(folder, 'ran'))
    ? readFileSync(join(folder, 'ran'), 'utf8').trimEnd().split('\n').map(Number)
    : []
  expect(ran.filter((n) => !decided.has(n))).toEqual([])
  expect([...finished].filter((n) => !ran.includes(n))).toEqual([])
  expect([...acknowledged].filter((n) => !decided.has(n) || !finished.has(n))).toEqual([])
  expect(report.open).toBe(decided.size - finished.size)
}

describe.each(['sqlite', 'jsonl'])('kill -9 while writing to %s', (kind) => {
  it(`loses nothing and lets nothing run, ${KILLS} times`, { timeout: KILLS * 5_000 }, async () => {
    const key = generatePrivateKey()
    const acknowledged = new Set<number>()
    let offset = 0
    for (let kill = 0; kill < KILLS; kill += 1) {
      const last = await runAndKill(kind, offset, 5 + Math.random() * 300, key.pem)
      for (let n = offset; n <= last; n += 1) acknowledged.add(n)
      await check(kind, key.publicKey, acknowledged)
      offset = Math.max(offset, last + 1) + 8
    }
    expect(acknowledged.size).toBeGreaterThan(0)
  })
})
