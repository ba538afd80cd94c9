// Threads that help: they give what the own thread gives, and when they die or cannot start nothing is lost but time. They run from the built
// package, as everywhere outside the tests.
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLedger as openBuilt, verify as verifyBuilt } from '@sudoagent/ledger'
import { MemoryLedger } from '@sudoagent/ledger/memory'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openLedger } from '../src/open.js'
import { verify } from '../src/verify.js'
import { testKey } from './fixtures/draft.js'

const ENTRIES = 40_000
const folder = mkdtempSync(join(tmpdir(), 'sudoagent-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const SCRIPT = join(import.meta.dirname, 'fixtures/large-ledger.mjs')

beforeAll(() => {
  for (const kind of ['jsonl', 'sqlite'])
    execFileSync(process.execPath, [SCRIPT, kind, join(folder, kind), `${ENTRIES}`, 'allow'])
}, 120_000)

describe.each(['jsonl', 'sqlite'])('%s', (kind) => {
  it('judged by two threads, by one, and line by line: the same report', { timeout: 120_000 }, async () => {
    const built = await openBuilt(join(folder, kind))
    const reports = [await verifyBuilt(built, { threads: 2 }), await verifyBuilt(built, { threads: 1 })]
    await built.close()
    const reader = await openLedger(join(folder, kind))
    // Where the sources run unbuilt there is no file for a thread to start from: every range is then looked at line by line.
    reports.push(await verify(reader, { threads: 2 }))
    await reader.close()
    expect(reports[0]).toMatchObject({ ok: true, entries: ENTRIES + 1 })
    expect(reports[1]).toEqual(reports[0])
    expect(reports[2]).toEqual(reports[0])
  })

  it('ends when it is told to, threads and all', async () => {
    const reader = await openBuilt(join(folder, kind))
    const stop = new AbortController()
    const run = verifyBuilt(reader, { threads: 2, signal: stop.signal, onProgress: (n) => n > 5_000 && stop.abort() })
    await expect(run).rejects.toThrow('aborted')
    await reader.close()
  })
})

it('a file that is cut while threads read it is found to be short', { timeout: 60_000 }, async () => {
  const path = join(folder, 'cut.jsonl')
  copyFileSync(join(folder, 'jsonl'), path)
  const reader = await openBuilt(path)
  let isCut = false
  const report = await verifyBuilt(reader, {
    threads: 2,
    onProgress: () => {
      if (!isCut) truncateSync(path, 20_000_000)
      isCut = true
    },
  })
  await reader.close()
  expect(report.ok).toBe(false)
})

it('a store without ranges is read as ever', async () => {
  const report = await verifyBuilt(new MemoryLedger().reader(), { publicKeys: [testKey(1).publicKey] })
  expect(report).toMatchObject({ ok: false, entries: 0 })
})
