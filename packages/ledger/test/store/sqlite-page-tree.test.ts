// A ledger file whose pages lead to one another in circles, or many to one: an answer in time, by every way to read it or to write to it.
import { readFileSync, writeFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import { describe, expect, it, onTestFinished } from 'vitest'
import { processorTime } from '../../../crypto/test/processor-time.js'
import { copyLedger } from '../../src/copy.js'
import { exportLedger } from '../../src/export/ledger.js'
import { openLedger } from '../../src/open.js'
import { callStory } from '../../src/query.js'
import { keepCosigned } from '../../src/store/cosigned.js'
import { openFileSink } from '../../src/store/file-sink.js'
import { SqliteLedger } from '../../src/store/sqlite.js'
import { decisionDraft, requestIdOf } from '../fixtures/draft.js'
import { codesOf, sqliteOf, verifyFile } from '../fixtures/ledger-file.js'
import { refusalOf } from '../fixtures/refusal.js'
import { writtenLines } from '../fixtures/seal.js'

const PAGE = 4096
const lines = await writtenLines(Array.from({ length: 30 }, (_, n) => decisionDraft(n)))

/**
 * Ends a tree in `levels` interior pages, each of which leads as often as there is room to the next, and the last to what was the root: without a
 * bit for each page, the leaf is read some 580^levels times.
 */
function blownUp(path: string, root: number, levels = 6): string {
  const file = readFileSync(path)
  const first = file.length / PAGE + 1
  const old = Buffer.from(file.subarray((root - 1) * PAGE, root * PAGE))
  const start = root === 1 ? 100 : 0
  // What was the root moves to a page of its own; a root on page 1 has less room than other pages, which its cells are moved by.
  const moved = Buffer.alloc(PAGE)
  old.copy(moved, 0, start)
  if (start > 0) {
    old.copy(moved, PAGE - (PAGE - old.readUInt16BE(start + 5)), old.readUInt16BE(start + 5))
  }
  const chain = Array.from({ length: levels - 1 }, (_, n) => interior(Buffer.alloc(PAGE), 0, first + n + 1))
  interior(file, (root - 1) * PAGE + start, first, start)
  const whole = Buffer.concat([file, ...chain, moved])
  whole.writeUInt32BE(whole.length / PAGE, 28)
  writeFileSync(path, whole)
  return path
}

function interior(page: Buffer, at: number, child: number, start = 0): Buffer {
  const cells = Math.floor((PAGE - start - 12) / 7) - 8
  page[at] = 5
  page.writeUInt16BE(0, at + 1)
  page.writeUInt16BE(cells, at + 3)
  page.writeUInt16BE(PAGE - 5 * cells, at + 5)
  page.writeUInt32BE(child, at + 8)
  const begin = at - start
  for (let n = 0; n < cells; n += 1) {
    const cell = PAGE - 5 * (n + 1)
    page.writeUInt16BE(cell, at + 12 + 2 * n)
    page.writeUInt32BE(child, begin + cell)
    page[begin + cell + 4] = 30
  }
  return page
}

const rootOf = (path: string, table: string): number => {
  const db = new Database(path, { readonly: true })
  try {
    return db.prepare('SELECT rootpage FROM sqlite_schema WHERE name = ?').pluck().get(table) as number
  } finally {
    db.close()
  }
}

describe.each<[string, () => string]>([
  ['the table of entries', () => blownUp(sqliteOf(lines), rootOf(sqliteOf(lines), 'ledger'))],
  ['the schema', () => blownUp(sqliteOf(lines), 1)],
  ["SQLite's own table of ids", () => blownUp(sqliteOf(lines), rootOf(sqliteOf(lines), 'sqlite_sequence'))],
  [
    'a table of somebody else',
    () => {
      const path = sqliteOf(lines, { spoil: (db) => db.exec('CREATE TABLE notes (x)') })
      return blownUp(path, rootOf(path, 'notes'))
    },
  ],
])('many pages that lead to one: %s', (_, make) => {
  it('is damage, found in time by every reader', async () => {
    const path = make()
    const took = processorTime()
    const report = await verifyFile(path)
    expect(codesOf(report)).toContain('STORE_DAMAGED@-')
    const reader = await openLedger(path)
    onTestFinished(() => reader.close())
    let text = ''
    for await (const part of exportLedger(reader, 'ndjson')) text += part
    expect(text.length).toBeLessThan(100_000)
    expect(reader.faults().map(({ code }) => code)).toContain('STORE_DAMAGED')
    for (const key of [{ requestId: requestIdOf(3) }, { requestId: requestIdOf(999) }, { position: 20 }])
      await refusalOf(() => callStory(reader, key))
    expect(took()).toBeLessThan(10_000)
  })

  it('is refused in time by every writer', async () => {
    const path = make()
    const before = readFileSync(path)
    const took = processorTime()
    const note = 'a.example/log\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n'
    for (const write of [
      () => SqliteLedger.open(path),
      () => openFileSink(path, 'sqlite'),
      async () => void (await copyLedger(await openLedger(path), openFileSink(path, 'sqlite'))),
    ])
      expect(await refusalOf(write)).toBe('LEDGER_DAMAGED')
    expect(() => keepCosigned(path, note)).toThrow()
    expect(readFileSync(path).equals(before)).toBe(true)
    expect(took()).toBeLessThan(10_000)
  })
})
