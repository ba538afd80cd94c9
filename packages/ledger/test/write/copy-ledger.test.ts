// Tests copies to a store that requires a head over all entries. A ledger without such a head is refused before
// anything is written.
import { appendFileSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { LedgerReader } from '../../src/port/reader.js'
import { openFileSink } from '../../src/store/copy-target.js'
import { damagedReader } from '../../src/store/damaged-reader.js'
import { JsonlLedger } from '../../src/store/jsonl/ledger.js'
import { openLedgerReader } from '../../src/store/open.js'
import { SqliteLedger } from '../../src/store/sqlite/ledger.js'
import { type CopyReport, copyLedger, type LedgerSink } from '../../src/write/copy-ledger.js'
import { decisionDraft, testSigner } from '../fixtures/draft.js'
import { temporaryFolder } from '../fixtures/temporary.js'

const ENTRIES = 11
const OLD = 6

/** Creates a ledger with a stale head. */
async function withOldHead(kind: 'jsonl' | 'sqlite'): Promise<string> {
  const path = join(temporaryFolder(), `ledger.${kind}`)
  const grow = async (from: number, to: number): Promise<void> => {
    const ledger = (kind === 'jsonl' ? JsonlLedger : SqliteLedger).open(path, { signer: testSigner(1) })
    await Promise.all(Array.from({ length: to - from }, (_, n) => ledger.append(decisionDraft(from + n))))
    await ledger.close()
  }
  await grow(0, OLD - 1)
  if (kind === 'jsonl') {
    const head = readFileSync(`${path}.head`)
    await grow(OLD - 1, ENTRIES - 1)
    writeFileSync(`${path}.head`, head)
    return path
  }
  const headOf = (): unknown => inFile(path, (db) => db.prepare('SELECT * FROM sudoagent_head').get())
  const head = headOf()
  await grow(OLD - 1, ENTRIES - 1)
  inFile(path, (db) =>
    db
      .prepare(
        'UPDATE sudoagent_head SET size = @size, entry_hash = @entry_hash, frontier = @frontier, controls = @controls, checkpoint = @checkpoint',
      )
      .run(head),
  )
  return path
}

function inFile<T>(path: string, work: (db: Database.Database) => T): T {
  const db = new Database(path)
  try {
    return work(db)
  } finally {
    db.close()
  }
}

/**
 * Reads one line per batch, so that a short ledger takes several batches, as a large ledger does. If the copy did not
 * check the end of the ledger first, it would write lines before it reads the last line.
 */
function lineByLine(reader: LedgerReader): LedgerReader {
  return {
    ...damagedReader(reader.kind, '', () => {}),
    async *batches() {
      for await (const lines of reader.batches()) for (const line of lines) yield [line]
    },
    lineAt: (position) => reader.lineAt(position),
    evidence: () => reader.evidence(),
    faults: () => reader.faults(),
  }
}

/** Creates a sink that requires a head, and counts the entries written to it. */
function countingSink(): LedgerSink & { readonly written: () => number } {
  let written = 0
  return {
    name: 'the server',
    needsHead: true,
    async *lines() {},
    seen: async () => {},
    write: async ({ entries }) => {
      written += entries.length
    },
    finish: async () => {},
    close: async () => {},
    written: () => written,
  }
}

async function copied(path: string, sink: LedgerSink) {
  const reader = await openLedgerReader(path)
  onTestFinished(() => reader.close())
  return copyLedger(lineByLine(reader), sink).then(
    ({ entries }: CopyReport) => entries,
    ({ code, message, hint }: { code: string; message: string; hint?: string }) => [code, message, hint],
  )
}

describe.each(['jsonl', 'sqlite'] as const)('a %s ledger', (kind) => {
  it('whose head is older than its entries is refused before anything is written', async () => {
    const sink = countingSink()
    expect(await copied(await withOldHead(kind), sink)).toEqual([
      'LEDGER_DAMAGED',
      'the head of the ledger covers 6 entries, but there is an entry 7: `the server` requires a head that covers every entry',
      'nothing was written; append an entry with this version to update the head',
    ])
    expect(sink.written()).toBe(0)
  })

  it('whose head is older goes into a file, which a writer goes on with', async () => {
    const to = openFileSink(join(temporaryFolder(), `copy.${kind}`), kind)
    expect(await copied(await withOldHead(kind), to)).toBe(ENTRIES)
    await to.close()
    const ledger = (kind === 'jsonl' ? JsonlLedger : SqliteLedger).open(to.name, { signer: testSigner(1) })
    expect((await ledger.append(decisionDraft(ENTRIES))).position).toBe(ENTRIES + 1)
    await ledger.close()
  })

  it('is copied when one more entry has brought its head up to date', async () => {
    const path = await withOldHead(kind)
    const ledger = (kind === 'jsonl' ? JsonlLedger : SqliteLedger).open(path, { signer: testSigner(1) })
    await ledger.append(decisionDraft(ENTRIES))
    await ledger.close()
    const sink = countingSink()
    expect([await copied(path, sink), sink.written()]).toEqual([ENTRIES + 1, ENTRIES + 1])
  })
})

it('a ledger that ends before its head is refused before anything is written', async () => {
  const path = await withOldHead('jsonl')
  truncateSync(path, readFileSync(path).lastIndexOf('\n', nthLine(path, OLD) - 2) + 1)
  const sink = countingSink()
  expect(await copied(path, sink)).toMatchObject([
    'LEDGER_DAMAGED',
    '`the ledger`: the head of the ledger covers 6 entries, but there is no entry 6',
    expect.any(String),
  ])
  expect(sink.written()).toBe(0)
})

it('a ledger with half a line after its head is refused before anything is written', async () => {
  const path = await withOldHead('jsonl')
  truncateSync(path, nthLine(path, OLD))
  appendFileSync(path, '{"half":')
  const sink = countingSink()
  expect(await copied(path, sink)).toMatchObject([
    'LEDGER_DAMAGED',
    'entry 7 of the ledger cannot be read',
    expect.any(String),
  ])
  expect(sink.written()).toBe(0)
})

it('a ledger without a head is refused before anything is written', async () => {
  const path = await withOldHead('jsonl')
  rmSync(`${path}.head`)
  const sink = countingSink()
  expect(await copied(path, sink)).toMatchObject([
    'LEDGER_DAMAGED',
    expect.stringContaining('no head'),
    expect.any(String),
  ])
  expect(sink.written()).toBe(0)
})

/** Returns the offset after line `n` and its line feed. */
function nthLine(path: string, n: number): number {
  const bytes = readFileSync(path)
  let at = 0
  for (let passed = 0; passed < n; passed += 1) at = bytes.indexOf('\n', at) + 1
  return at
}
