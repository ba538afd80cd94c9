// Tests that for any ledger, exports and searches by range have the same results as exports and searches line by line:
// the same texts, entries, unreadable entries and store faults.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { byTier, sampled } from '../../../../test/tier.js'
import { exportLedger } from '../../src/read/export-ledger.js'
import { openLedgerReader } from '../../src/store/open.js'
import { oneByteChanged } from '../fixtures/arbitrary.js'
import { decisionDraft } from '../fixtures/draft.js'
import { jsonlOf, type Line, sqliteOf } from '../fixtures/ledger-file.js'
import { PYPI_CASES } from '../fixtures/pypi-lines.js'
import { inRanges } from '../fixtures/ranges.js'
import { linesOf, SOUGHT, sameOutcome } from '../fixtures/same-outcome.js'
import { writtenLines } from '../fixtures/seal.js'
import { CALL_CASES } from '../fixtures/spoiled/calls.js'
import { isTorn, soundLines, spoiledFile } from '../fixtures/spoiled/ledgers.js'
import { LINE_CASES } from '../fixtures/spoiled/lines.js'

let sound: string[]
beforeAll(async () => {
  sound = await soundLines()
})

describe.each(['jsonl', 'sqlite'] as const)('every spoiled ledger, %s', (kind) => {
  const file = (lines: readonly Line[]): string => (kind === 'jsonl' ? jsonlOf(lines) : sqliteOf(lines))

  it.each(
    sampled(
      [...LINE_CASES, ...CALL_CASES, ...PYPI_CASES].filter((one) => !isTorn(one, kind)),
      5,
    ),
  )('$code: $how', async (one) => {
    await sameOutcome(await spoiledFile(one, kind, sound))
  })

  it('a sound one', async () => {
    const { texts, unreadable, found } = await sameOutcome(file(sound))
    expect(texts[2]).toBe(sound.map((line) => `${line}\n`).join(''))
    expect(unreadable).toEqual([])
    expect(found.map(({ length }) => length)).toEqual([7, 0, 0, 7, 3, 0, 0])
  })

  it('one with any byte of any line changed', async () => {
    await fc.assert(
      fc.asyncProperty(oneByteChanged(sound), async (changed) => {
        await sameOutcome(file(changed))
      }),
      { numRuns: byTier({ short: 10, long: 60 }) },
    )
  })

  it('lines that are plain but for what no hash covers', async () => {
    const [first = '', second = '', ...rest] = sound
    for (const [from, to] of [
      [/"entry_signature":"[^"]*"/, '"entry_signature":""'],
      [/"entry_hash":"\w+"/, '"entry_hash":""'],
      [/"entry_hash":"\w+"/, `"entry_hash":"${'g'.repeat(64)}"`],
      [/"prev_entry_hash":"\w+"/, '"prev_entry_hash":""'],
      [/"decision_hash":"\w+"/, '"decision_hash":""'],
      [/"decision_hash":"\w{60}/, '"decision_hash":"'],
      [/"request_id":"[^"]*"/, '"request_id":""'],
      [/"request_id":"[^"]*"/, '"request_id":"=1"'],
      [/"recorded_at":"[^"]*"/, '"recorded_at":"2026-02-30T00:00:00.000000Z"'],
    ] as const) {
      const changed = second.replace(from, to)
      expect(changed).not.toBe(second)
      await sameOutcome(file([first, changed, ...rest]))
      await sameOutcome(file([changed, changed]))
    }
  })
})

describe('the vectors', () => {
  const folder = join(import.meta.dirname, '../../../../vectors/ledger')
  const files = ['accept', 'reject'].flatMap((name) => readdirSync(join(folder, name)).map((file) => join(name, file)))
  it('are there', () => expect(files.length).toBeGreaterThan(60))
  it.each(sampled(files, 4))('%s', async (file) => {
    // Readers retry a torn line several times, which is slow, so the test does not search files with a torn line.
    await sameOutcome(join(folder, file), file.includes('line-torn') ? [] : SOUGHT)
    const lines = readFileSync(join(folder, file), 'latin1').split('\n').slice(0, -1)
    await sameOutcome(sqliteOf(lines.map((line) => Buffer.from(line, 'latin1'))))
  })

  const shared = join(import.meta.dirname, '../../../../../shared/vectors')
  it.skipIf(!existsSync(shared))('of other implementations', async () => {
    const names = readdirSync(shared, { recursive: true, encoding: 'utf8' })
    const ledgers = names.filter((name) => /\.(jsonl|sqlite|db)$/.test(name))
    expect(ledgers.length).toBeGreaterThan(0)
    for (const name of ledgers) await sameOutcome(join(shared, name))
  })
})

it('ranges are dealt with as a whole: few texts for many entries, and no line read where nothing is found', async () => {
  const drafts = Array.from({ length: 30 }, (_, n) =>
    decisionDraft(n + 1, n === 25 ? { kwargs: { say: 'Größe' } } : {}),
  )
  const lines = await writtenLines(drafts)
  for (const path of [jsonlOf(lines), sqliteOf(lines)]) {
    const reader = await openLedgerReader(path)
    const short = inRanges(reader, reader.kind === 'sqlite' ? 10 : 9_000)
    let texts = 0
    for await (const _ of exportLedger(short, 'ndjson')) texts += 1
    expect(texts).toBeLessThan(15)
    const { ranges } = short
    if (ranges === undefined) throw new TypeError('it has ranges')
    let read = 0
    const watched = {
      ...ranges,
      async *lines(...range: Parameters<typeof ranges.lines>) {
        const lines = ranges.lines(...range)
        for (;;) {
          const { done, value } = await lines.next()
          if (done) return value
          read += value.length
          yield value
        }
      },
    }
    expect(await linesOf({ ...short, ranges: watched }, { text: 'nobody says this' })).toEqual([])
    expect(read).toBeLessThan(15)
    expect(await linesOf({ ...short, ranges: watched }, { text: 'GRÖSSE' })).toEqual([])
    expect(await linesOf({ ...short, ranges: watched }, { text: 'größe' })).toHaveLength(1)
    await reader.close()
  }
})

it('a SQLite ledger with gaps, doubled or negative ids, or other things in its columns', async () => {
  const changes = [
    'UPDATE ledger SET id = id + 1000000 WHERE id > 3',
    'UPDATE ledger SET id = 9007199254740991 WHERE id = 7',
    'UPDATE ledger SET id = -1 WHERE id = 1',
    'DELETE FROM ledger WHERE id = 4',
    'UPDATE ledger SET entry_json = CAST(entry_json AS BLOB) WHERE id = 5',
    'UPDATE ledger SET entry_json = entry_json || char(10) WHERE id = 5',
    'UPDATE ledger SET entry_json = char(10) || entry_json WHERE id = 5',
    'UPDATE ledger SET entry_json = entry_json || char(10) || entry_json WHERE id = 5',
    'UPDATE ledger SET entry_json = entry_json || char(0) || entry_json WHERE id = 5',
    "UPDATE ledger SET entry_json = '' WHERE id IN (3, 7)",
    "UPDATE ledger SET entry_json = printf('%.*c', 20000, 'x') WHERE id = 5",
    "UPDATE ledger SET entry_json = '{' || printf('%.*c', 20000, ' ') || substr(entry_json, 2) WHERE id = 5",
    'UPDATE ledger SET entry_json = zeroblob(5000000) WHERE id = 5',
  ]
  for (const change of changes) {
    const path = sqliteOf(sound)
    const db = new Database(path)
    db.exec(change)
    db.close()
    await sameOutcome(path)
  }
})

it('entries longer than a piece, in either store', async () => {
  const long = await writtenLines([
    decisionDraft(1),
    decisionDraft(2, { kwargs: { text: 'x'.repeat(20_000) } }),
    decisionDraft(3, { kwargs: { text: `${'x'.repeat(200_000)} needle` } }),
    decisionDraft(4),
  ])
  for (const path of [jsonlOf(long), sqliteOf(long)]) {
    const { found, unreadable } = await sameOutcome(path, [{ text: 'NEEDLE' }])
    expect(found[0]?.map((line) => line.slice(0, 2))).toEqual(['3 '])
    expect(unreadable).toEqual([])
  }
})

it('a JSONL ledger with empty lines, lines that are too long, and without its last line feed', async () => {
  const tooLong = 'x'.repeat(5_000_000)
  for (const lines of [
    [...sound.slice(0, 3), '', '', ...sound.slice(3)],
    [...sound.slice(0, 3), tooLong, ...sound.slice(3)],
  ])
    expect((await sameOutcome(jsonlOf(lines))).unreadable.length).toBeGreaterThan(0)
  const torn = jsonlOf(sound)
  writeFileSync(torn, readFileSync(torn).subarray(0, -1))
  expect((await sameOutcome(torn, [])).unreadable).toEqual([7, 7, 7])
})
