// Tests that worker threads give the same results as the calling thread. If worker threads crash or cannot start,
// verification is only slower. The worker threads run the built package, as they do for users.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { closeSync, copyFileSync, mkdtempSync, openSync, rmSync, truncateSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type LedgerReader, openLedgerReader as openBuilt, select, verify as verifyBuilt } from '@sudoagent/ledger'
import type { EntryRecord, LedgerEntry } from '@sudoagent/ledger/entry'
import { exportCsv, exportLedger } from '@sudoagent/ledger/export'
import { MemoryLedger } from '@sudoagent/ledger/memory'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { byTier } from '../../../../test/tier.js'
import { openLedgerReader } from '../../src/store/open.js'
import { verify } from '../../src/verify/verify.js'
import { testKey } from '../fixtures/draft.js'
import { inRanges } from '../fixtures/ranges.js'

const ENTRIES = byTier({ short: 16_000, long: 40_000 })
const folder = mkdtempSync(join(tmpdir(), 'sudoagent-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const SCRIPT = join(import.meta.dirname, '../fixtures/process/large-ledger.mjs')

beforeAll(() => {
  for (const kind of ['jsonl', 'sqlite'])
    execFileSync(process.execPath, [SCRIPT, kind, join(folder, kind), `${ENTRIES}`, 'allow'])
})

async function digestOf(texts: AsyncIterable<string>): Promise<string> {
  const hash = createHash('sha256')
  for await (const text of texts) hash.update(text)
  return hash.digest('hex')
}

async function positionsOf(records: AsyncIterable<EntryRecord>): Promise<number[]> {
  const positions: number[] = []
  for await (const { position } of records) positions.push(position)
  return positions
}

async function entryAt(reader: LedgerReader, position: number): Promise<LedgerEntry> {
  const line = await reader.lineAt(position)
  return JSON.parse(Buffer.from(line?.bytes ?? []).toString()) as LedgerEntry
}

describe.each(['jsonl', 'sqlite'])('%s', (kind) => {
  it('judged by two threads, by one, and line by line: the same report', async () => {
    const built = await openBuilt(join(folder, kind))
    const reports = [await verifyBuilt(built, { threads: 2 }), await verifyBuilt(built, { threads: 1 })]
    await built.close()
    const reader = await openLedgerReader(join(folder, kind))
    // Worker threads cannot run TypeScript sources, so this reader reads every range line by line.
    reports.push(await verify(reader, { threads: 2 }))
    await reader.close()
    expect(reports[0]).toMatchObject({ ok: true, entries: ENTRIES + 1 })
    expect(reports[1]).toEqual(reports[0])
    expect(reports[2]).toEqual(reports[0])
  })

  it('handed out and searched by two threads, by one, and line by line: the same', async () => {
    // There are enough entries for the reader to start worker threads.
    const step = kind === 'sqlite' ? 100 : 100_000
    const built = inRanges(await openBuilt(join(folder, kind)), step)
    const sourced = inRanges(await openLedgerReader(join(folder, kind)), step)
    const csv = [
      await digestOf(exportLedger(built, 'csv', { threads: 2 })),
      await digestOf(exportLedger(built, 'csv', { threads: 1 })),
      await digestOf(exportLedger(sourced, 'csv', { threads: 2 })),
      await digestOf(exportCsv(select(built))),
    ]
    expect(new Set(csv).size).toBe(1)
    const { request_id: text } = await entryAt(built, ENTRIES - 10)
    const wanted = text?.toUpperCase() ?? ''
    const found = [
      await positionsOf(select(built, { text: wanted }, { threads: 2 })),
      await positionsOf(select(built, { text: wanted }, { threads: 1 })),
      await positionsOf(select(sourced, { text: wanted }, { threads: 2 })),
    ]
    expect(found[0]).toHaveLength(2)
    expect(found[1]).toEqual(found[0])
    expect(found[2]).toEqual(found[0])
    // If a consumer stops early, no thread may keep running.
    for await (const _ of exportLedger(built, 'csv', { threads: 2 })) break
    expect(await positionsOf(select(built, { text: 'payments', limit: 3 }, { threads: 2 }))).toHaveLength(3)
    expect(built.faults()).toEqual([])
    await built.close()
    await sourced.close()
  })

  it('ends when it is told to, threads and all', async () => {
    const reader = await openBuilt(join(folder, kind))
    const stop = new AbortController()
    const run = verifyBuilt(reader, {
      threads: 2,
      signal: stop.signal,
      onProgress: (n) => n > ENTRIES >> 3 && stop.abort(),
    })
    await expect(run).rejects.toThrow('aborted')
    await reader.close()
  })
})

it('a file that is cut while threads read it is found to be short', async () => {
  const path = join(folder, 'cut.jsonl')
  copyFileSync(join(folder, 'jsonl'), path)
  const reader = await openBuilt(path)
  let isCut = false
  const report = await verifyBuilt(reader, {
    threads: 2,
    onProgress: () => {
      if (!isCut) truncateSync(path, ENTRIES * 500)
      isCut = true
    },
  })
  await reader.close()
  expect(report.ok).toBe(false)
})

it('a database that is damaged in the middle is handed out up to there, by threads and without: the same fault', async () => {
  const path = join(folder, 'cut.sqlite')
  copyFileSync(join(folder, 'sqlite'), path)
  const fd = openSync(path, 'r+')
  // Overwrites one whole page of 4,096 bytes.
  writeSync(fd, Buffer.alloc(4_096, 0xff), 0, 4_096, (ENTRIES >> 3) * 4_096)
  closeSync(fd)
  const positions: (readonly number[])[] = []
  const faults: unknown[] = []
  for (const threads of [1, 2]) {
    const reader = inRanges(await openBuilt(path), 100)
    positions.push(await positionsOf(select(reader, { text: 'payments' }, { threads })))
    faults.push(reader.faults())
    await reader.close()
  }
  expect(positions[0]?.length).toBeGreaterThan(0)
  expect(positions[1]).toEqual(positions[0])
  expect(faults[0]).toMatchObject([{ code: 'STORE_DAMAGED' }])
  expect(faults[1]).toEqual(faults[0])
})

it('a store without ranges is read as ever', async () => {
  const report = await verifyBuilt(new MemoryLedger().reader(), { publicKeys: [testKey(1).publicKey] })
  expect(report).toMatchObject({ ok: false, entries: 0 })
})
