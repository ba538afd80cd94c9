// Tests that a search for a call with the store's index finds the same entries as a search that reads every line. If
// the index is not reliable, the reader must read every line.
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { EntryDraft } from '../../src/entry/entry.js'
import type { LedgerReader } from '../../src/port/reader.js'
import type { Criteria } from '../../src/read/criteria.js'
import { select } from '../../src/read/query.js'
import { callStory } from '../../src/read/story.js'
import { openLedgerReader } from '../../src/store/open.js'
import { SqliteLedger } from '../../src/store/sqlite/ledger.js'
import { decisionDraft, outcomeDraft, requestIdOf } from '../fixtures/draft.js'

// The ledger starts with the genesis entry and two calls that have one entry each, so call n is at positions 2n + 2 and
// 2n + 3. The entries fill two tiles of 256 entries.
const CALLS = 280
const DENIED = 281
const OPEN = 282
const OTHER_ID = 're\u0301q "1"'

const folder = mkdtempSync(join(tmpdir(), 'sudoagent-test-'))
const path = join(folder, 'ledger.sqlite')
afterAll(() => rmSync(folder, { recursive: true, force: true }))
beforeAll(async () => {
  const ledger = SqliteLedger.open(path)
  const drafts: EntryDraft[] = [decisionDraft(DENIED, { effect: 'deny' }), decisionDraft(OPEN)]
  for (let n = 1; n <= CALLS; n += 1) {
    const decision = decisionDraft(n, n === 7 ? { requestId: OTHER_ID } : {})
    drafts.push(decision, outcomeDraft(decision))
  }
  await Promise.all(drafts.map((draft) => ledger.append(draft)))
  await ledger.close()
})

/** Returns the result of `select`, and whether `select` read every line. */
async function found(reader: LedgerReader, criteria: Criteria): Promise<{ lines: string[]; scanned: boolean }> {
  let scanned = false
  const watched = watch(reader, () => {
    scanned = true
  })
  const lines: string[] = []
  for await (const { position, json } of select(watched, criteria)) lines.push(`${position} ${json}`)
  return { lines, scanned }
}

function watch(reader: LedgerReader, onScan: () => void): LedgerReader {
  return new Proxy(reader, {
    get(target, name) {
      if (name === 'batches' || name === 'ranges') onScan()
      const value = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

const withoutBook = (reader: LedgerReader): LedgerReader =>
  new Proxy(reader, {
    get: (target, name) =>
      name === 'linesOfCall' ? async () => null : bound(target, Reflect.get(target, name, target)),
  })

const bound = (target: object, value: unknown): unknown => (typeof value === 'function' ? value.bind(target) : value)

async function withReader<T>(use: (reader: LedgerReader) => Promise<T>, from = path): Promise<T> {
  const reader = await openLedgerReader(from)
  try {
    return await use(reader)
  } finally {
    await reader.close()
  }
}

it.each<[string, Criteria, number, boolean]>([
  ['a call in a full tile', { requestId: requestIdOf(3) }, 2, false],
  ['a call in the tile that grows', { requestId: requestIdOf(CALLS) }, 2, false],
  ['an id of another form', { requestId: OTHER_ID }, 2, false],
  ['the same id, not normalised', { requestId: OTHER_ID.normalize('NFD') }, 2, false],
  ['a denial', { requestId: requestIdOf(DENIED) }, 1, false],
  ['its outcome alone', { requestId: requestIdOf(3), event: 'outcome' }, 1, false],
  ['the first entry', { requestId: requestIdOf(3), limit: 1 }, 1, false],
  ['nothing, with a limit of 0', { requestId: requestIdOf(3), limit: 0 }, 0, false],
  ['nothing that fits besides', { requestId: requestIdOf(3), action: 'payments.pay' }, 0, false],
  ['a text in it', { requestId: requestIdOf(3), text: 'CUSTOMER 3' }, 2, false],
  ['a call without an outcome', { requestId: requestIdOf(OPEN) }, 1, true],
  ['a call that is not there', { requestId: requestIdOf(999) }, 0, true],
])('finds %s', async (_, criteria, count, scanned) => {
  await withReader(async (reader) => {
    const looked = await found(reader, criteria)
    expect([looked.lines.length, looked.scanned]).toEqual([count, scanned])
    expect(looked.lines).toEqual((await found(withoutBook(reader), criteria)).lines)
  })
})

it('finds the story of a call without reading every line', async () => {
  await withReader(async (reader) => {
    const watched = watch(reader, () => {
      throw new Error('every line is read')
    })
    const { decision, outcome } = await callStory(watched, { requestId: requestIdOf(100) })
    expect([decision?.entry.event, outcome?.entry.event]).toEqual(['decision', 'outcome'])
  })
})

it.each([
  ['the outcome is taken out of the book', 'UPDATE sudoagent_calls SET calls = zeroblob(1024) WHERE tile = 1'],
  ['the book leads nowhere', 'UPDATE sudoagent_calls SET calls = zeroblob(1024)'],
  ['the book is emptied', 'DELETE FROM sudoagent_calls'],
  ['the book is gone', 'DROP TABLE sudoagent_calls'],
])('finds as much when %s', async (_, spoil) => {
  // The decision is the last entry of the first tile, and the outcome is the first entry of the second tile.
  const requestId = requestIdOf(127)
  const lines = [expect.stringMatching(/^256 /), expect.stringMatching(/^257 /)]
  expect(await withReader((reader) => found(reader, { requestId }))).toEqual({ lines, scanned: false })
  const copy = join(folder, 'spoiled.sqlite')
  copyFileSync(path, copy)
  const spoiled = new Database(copy)
  spoiled.exec(spoil)
  spoiled.close()
  expect(await withReader((reader) => found(reader, { requestId }), copy)).toEqual({ lines, scanned: true })
})
