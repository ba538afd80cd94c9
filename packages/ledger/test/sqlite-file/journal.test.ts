// Tests hostile rollback journals. The walk must read the pages that SQLite would restore. If SQLite must not roll back
// a journal, the walk must report the journal as damage.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { requireSoundFile } from '../../src/sqlite-file/file-check.js'
import { openLedgerReader } from '../../src/store/open.js'
import { SqliteLedger } from '../../src/store/sqlite/ledger.js'
import { verify } from '../../src/verify/verify.js'
import { decisionDraft } from '../fixtures/draft.js'
import { codesOf, sqliteOf } from '../fixtures/ledger-file.js'
import { refusalOf } from '../fixtures/refusal.js'
import { writtenLines } from '../fixtures/seal.js'
import { temporaryFolder } from '../fixtures/temporary.js'

const MAGIC = Buffer.from('d9d505f920a163d7', 'hex')
const lines = await writtenLines(Array.from({ length: 5 }, (_, n) => decisionDraft(n)))

interface Segment {
  readonly pages: readonly (readonly [number: number, content: Buffer])[]
  /** Number of records in the header. Default: the actual number. */
  readonly counted?: number
  readonly sector?: number
  readonly pageSize?: number
}

/** Returns a journal in SQLite's format. Each segment starts at a multiple of the first segment's sector size. */
function journalOf(pagesBefore: number, pageSize: number, segments: readonly Segment[]): Buffer {
  const sectorSize = segments[0]?.sector ?? 512
  const parts = segments.map(({ pages, counted = pages.length, sector = sectorSize, pageSize: said = pageSize }) => {
    const header = Buffer.alloc(sectorSize)
    MAGIC.copy(header)
    for (const [n, value] of [counted, 7, pagesBefore, sector, said].entries()) header.writeUInt32BE(value, 8 + 4 * n)
    const records = pages.map(([number, content]) => {
      const record = Buffer.alloc(content.length + 8)
      record.writeUInt32BE(number, 0)
      content.copy(record, 4)
      let sum = 7
      for (let at = content.length - 200; at > 0; at -= 200) sum += content[at] ?? 0
      record.writeUInt32BE(sum >>> 0, 4 + content.length)
      return record
    })
    const whole = Buffer.concat([header, ...records])
    return Buffer.concat([whole, Buffer.alloc((sectorSize - (whole.length % sectorSize)) % sectorSize)])
  })
  return Buffer.concat(parts)
}

/** Returns the end of a journal that names a super-journal. */
function superJournal(name: string, pageSize: number): Buffer {
  const bytes = Buffer.from(name)
  const sum = bytes.reduce((total, byte) => (total + ((byte << 24) >> 24)) | 0, 0)
  const end = Buffer.alloc(bytes.length + 20)
  end.writeUInt32BE(2 ** 30 / pageSize + 1, 0)
  bytes.copy(end, 4)
  end.writeUInt32BE(bytes.length, 4 + bytes.length)
  end.writeInt32BE(sum, 8 + bytes.length)
  MAGIC.copy(end, 12 + bytes.length)
  return end
}

interface Prepared {
  readonly path: string
  readonly pageSize: number
  readonly pages: number
  /** Page 2 in two versions: unchanged, and as an interior page that refers to itself. */
  readonly sound: Buffer
  readonly looped: Buffer
}

/** Creates a ledger without a write-ahead log. */
function prepared(): Prepared {
  const path = sqliteOf(lines)
  const db = new Database(path)
  db.pragma('journal_mode = DELETE')
  const root = db.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'ledger'").pluck().get()
  db.close()
  expect(root).toBe(2)
  const file = readFileSync(path)
  const pageSize = file.readUInt16BE(16)
  const looped = Buffer.alloc(pageSize)
  looped[0] = 5
  looped.writeUInt32BE(2, 8)
  const sound = Buffer.from(file.subarray(pageSize, 2 * pageSize))
  return { path, pageSize, pages: file.length / pageSize, sound, looped }
}

describe('what SQLite would play back is walked', () => {
  const ONE = (page: Buffer): Segment => ({ pages: [[2, page]] })
  it.each<[string, (it: Prepared) => readonly Segment[]]>([
    ['one segment', ({ looped }) => [ONE(looped)]],
    ['after a segment without records', ({ looped }) => [{ pages: [] }, ONE(looped)]],
    [
      'in a second segment that says another sector size',
      ({ looped }) => [{ pages: [] }, { ...ONE(looped), sector: 4096 }],
    ],
    [
      'in a second segment that says another page size',
      ({ looped }) => [{ pages: [] }, { ...ONE(looped), pageSize: 512 }],
    ],
    ['with sectors of 32 bytes', ({ looped }) => [{ ...ONE(looped), sector: 32 }]],
    ['whose records are not counted', ({ looped }) => [{ ...ONE(looped), counted: 0xffff_ffff }]],
    [
      'of two versions the first',
      ({ looped, sound }) => [
        {
          pages: [
            [2, looped],
            [2, sound],
          ],
        },
      ],
    ],
  ])('%s', async (_, segmentsOf) => {
    const it = prepared()
    writeFileSync(`${it.path}-journal`, journalOf(it.pages, it.pageSize, segmentsOf(it)))
    expect(() => requireSoundFile(it.path)).toThrow('page 2 is used twice')
    expect(await refusalOf(() => SqliteLedger.open(it.path))).toBe('LEDGER_DAMAGED')
  })

  it.each([
    ['empty', Buffer.alloc(0)],
    ['of zeros', Buffer.alloc(4096)],
  ])('also next to a write-ahead log that is %s', async (_, log) => {
    const it = prepared()
    writeFileSync(`${it.path}-journal`, journalOf(it.pages, it.pageSize, [ONE(it.looped)]))
    writeFileSync(`${it.path}-wal`, log)
    expect(() => requireSoundFile(it.path)).toThrow('page 2 is used twice')
    const reader = await openLedgerReader(it.path)
    expect(codesOf(await verify(reader))).toContain('STORE_DAMAGED@-')
    await reader.close()
  })

  it.each<[string, (it: Prepared) => readonly Segment[]]>([
    [
      'behind the last page that is counted',
      ({ sound }) => [
        {
          pages: [
            [2, sound],
            [2, sound],
          ],
          counted: 1,
        },
      ],
    ],
    ['in place of a damaged page', ({ sound }) => [ONE(sound)]],
  ])('and is sound where that is: %s', async (_, segmentsOf) => {
    const it = prepared()
    const file = readFileSync(it.path)
    it.looped.copy(file, it.pageSize)
    writeFileSync(it.path, file)
    expect(() => requireSoundFile(it.path)).toThrow('page 2 is used twice')
    writeFileSync(`${it.path}-journal`, journalOf(it.pages, it.pageSize, segmentsOf(it)))
    requireSoundFile(it.path)
    const reader = await openLedgerReader(it.path)
    expect(codesOf(await verify(reader))).toEqual([])
    await reader.close()
  })

  it.each<[string, (it: Prepared) => readonly Segment[]]>([
    [
      'a record that does not fit comes first',
      ({ sound, looped }) => [
        {
          pages: [
            [0, looped],
            [2, sound],
          ],
        },
      ],
    ],
    [
      'the page is the one with the lock bytes',
      ({ sound, looped, pageSize }) => [
        {
          pages: [
            [2 ** 30 / pageSize + 1, looped],
            [2, sound],
          ],
        },
      ],
    ],
    ['more records are counted than there are', ({ sound }) => [{ pages: [], counted: 9 }, ONE(sound)]],
  ])('but not what SQLite would not: %s', (_, segmentsOf) => {
    const it = prepared()
    const file = readFileSync(it.path)
    it.looped.copy(file, it.pageSize)
    writeFileSync(it.path, file)
    writeFileSync(`${it.path}-journal`, journalOf(it.pages, it.pageSize, segmentsOf(it)))
    // SQLite would use the damaged page from the database file.
    expect(() => requireSoundFile(it.path)).toThrow('page 2 is used twice')
  })
})

describe('a journal that no store leaves behind is not played back', () => {
  it.each<[string, (it: Prepared) => Buffer]>([
    [
      'no page size',
      ({ pages, pageSize, sound }) => journalOf(pages, pageSize, [{ pages: [[2, sound]], pageSize: 0 }]),
    ],
    [
      'a page size that is not one',
      ({ pages, pageSize, sound }) => journalOf(pages, pageSize, [{ pages: [[2, sound]], pageSize: 4095 }]),
    ],
    ['another page size', ({ pages, pageSize }) => journalOf(pages, pageSize, [{ pages: [], pageSize: 512 }])],
    [
      'sectors of 33 bytes',
      ({ pages, pageSize, sound }) => journalOf(pages, pageSize, [{ pages: [[2, sound]], sector: 33 }]),
    ],
    [
      'sectors of 16 bytes',
      ({ pages, pageSize }) => journalOf(pages, pageSize, [{ pages: [], sector: 64 }]).fill(16, 23, 24),
    ],
  ])('%s', async (_, make) => {
    const it = prepared()
    writeFileSync(`${it.path}-journal`, make(it))
    expect(await refusalOf(() => SqliteLedger.open(it.path))).toBe('LEDGER_DAMAGED')
    const reader = await openLedgerReader(it.path)
    expect(codesOf(await verify(reader))).toEqual(['STORE_DAMAGED@-'])
    await reader.close()
  })

  it.each([
    ['after its records', 1],
    ['without any', 0],
  ])('the name of a file, which SQLite would delete: %s', async (_, records) => {
    const it = prepared()
    const victim = join(temporaryFolder(), 'diary.txt')
    writeFileSync(victim, 'dear diary\n')
    const journal = journalOf(it.pages, it.pageSize, [{ pages: records === 0 ? [] : [[2, it.sound]] }])
    writeFileSync(`${it.path}-journal`, Buffer.concat([journal, superJournal(victim, it.pageSize)]))
    const reader = await openLedgerReader(it.path)
    expect(codesOf(await verify(reader))).toEqual(['STORE_DAMAGED@-'])
    await reader.close()
    expect(await refusalOf(() => SqliteLedger.open(it.path))).toBe('LEDGER_DAMAGED')
    expect(existsSync(victim)).toBe(true)
    // Shows that the check is needed: without it, SQLite deletes the file.
    new Database(it.path).prepare('SELECT 1 FROM sqlite_schema').get()
    expect(existsSync(victim)).toBe(false)
  })
})
