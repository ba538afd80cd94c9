// A ledger file whose pages lead to one another in circles, or many to one: an answer in time, by every way to read it or to write to it.
import { readFileSync } from 'node:fs'
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
import { blownUp, rootOf } from '../fixtures/page-tree.js'
import { refusalOf } from '../fixtures/refusal.js'
import { writtenLines } from '../fixtures/seal.js'

const lines = await writtenLines(Array.from({ length: 30 }, (_, n) => decisionDraft(n)))

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
