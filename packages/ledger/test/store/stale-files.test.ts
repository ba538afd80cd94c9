// Tests files of a SQLite ledger that do not belong together: a `-wal` or `-shm` that is stale, from a different
// database, truncated, or filled with random bytes. A careless copy, a restored backup or a failing disk leaves such
// files, and SQLite trusts a `-wal`. The reader must refuse the ledger or report the ledger as `broken`, unless the
// files form a valid earlier state of the ledger. Only a checkpoint that is stored elsewhere reveals that a state is
// not the latest.
import { copyFileSync, existsSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { byTier } from '../../../../test/tier.js'
import { LedgerError } from '../../src/error.js'
import { SqliteLedger } from '../../src/store/sqlite/ledger.js'
import { headIn, ORIGIN, OWNER, OWNER_KEY } from '../fixtures/attack.js'
import { decisionDraft } from '../fixtures/draft.js'
import { verifyFile } from '../fixtures/ledger-file.js'
import { refusalOf } from '../fixtures/refusal.js'
import { temporaryFolder } from '../fixtures/temporary.js'

const SUFFIXES = ['', '-wal', '-shm']
type Copy = ReadonlyMap<string, Buffer>

/** Returns the current content of the three files. */
function copyOf(path: string): Copy {
  const present = SUFFIXES.filter((suffix) => existsSync(path + suffix))
  return new Map(present.map((suffix) => [suffix, readFileSync(path + suffix)]))
}

/** Writes files into a new folder. @returns the path of the database */
function put(files: Iterable<readonly [string, Buffer]>): string {
  const path = join(temporaryFolder(), 'ledger.sqlite')
  for (const [suffix, bytes] of files) writeFileSync(path + suffix, bytes)
  return path
}

/**
 * Returns copies of a ledger from four times: after 5 and after 10 decisions with the writer still open, after the
 * writer closed the ledger, and after 15 decisions with a second writer open.
 */
async function moments() {
  const path = join(temporaryFolder(), 'ledger.sqlite')
  const copies: Copy[] = []
  let n = 0
  const grow = async (ledger: SqliteLedger): Promise<void> => {
    for (const end = n + 5; n < end; n += 1) await ledger.append(decisionDraft(n))
  }
  const options = { signer: OWNER, origin: ORIGIN }
  const first = SqliteLedger.open(path, options)
  for (const _ of [1, 2]) {
    await grow(first)
    copies.push(copyOf(path))
  }
  await first.close()
  copies.push(copyOf(path))
  const second = SqliteLedger.open(path, options)
  await grow(second)
  copies.push(copyOf(path))
  await second.close()
  const checkpoint = await headIn(path)
  const [five, ten, closed, fifteen] = copies
  if (!five || !ten || !closed || !fifteen) throw new Error('expected four copies')
  return { five, ten, closed, fifteen, checkpoint }
}

/**
 * Verifies a ledger, then opens a writer, which either appends to the ledger or refuses it. Returns `refused`,
 * `broken`, or the number of entries if the ledger is valid.
 */
async function fateOf(path: string, checkpoint: string): Promise<string | number> {
  const before = await coded(async () => {
    const report = await verifyFile(path, { publicKeys: [OWNER_KEY] })
    if (!report.ok) return 'broken'
    const anchored = await verifyFile(path, { publicKeys: [OWNER_KEY], checkpoints: [checkpoint] })
    // An earlier state verifies, unless the caller has a later checkpoint.
    if (report.entries < 16) expect(anchored).toMatchObject({ ok: false, verdict: 'broken' })
    return report.entries
  })
  const written = await coded(async () => {
    const ledger = SqliteLedger.open(path, { signer: OWNER, origin: ORIGIN })
    try {
      return (await ledger.append(decisionDraft(900))).position
    } finally {
      await ledger.close()
    }
  })
  if (typeof written === 'number') {
    // After the append, the ledger verifies and contains all entries that the reader saw.
    expect(await verifyFile(path, { publicKeys: [OWNER_KEY] })).toMatchObject({ verdict: 'signed', entries: written })
    if (typeof before === 'number') expect(written).toBe(before + 1)
  }
  return before
}

/** Returns the result, or `refused` for an error with a code. Any other error fails the test. */
async function coded<T>(work: () => Promise<T>): Promise<T | string> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof LedgerError) return 'refused'
    throw error
  }
}

describe('the files of one moment', () => {
  it('are whole, whichever it is, as after a kill', async () => {
    const { five, ten, closed, fifteen, checkpoint } = await moments()
    const fates = []
    for (const copy of [five, ten, closed, fifteen]) fates.push(await fateOf(put(copy), checkpoint))
    expect(fates).toEqual([6, 11, 11, 16])
  })

  it.each<[string, (shm: Buffer) => Buffer | null]>([
    ['deleted', () => null],
    ['empty', () => Buffer.alloc(0)],
    ['cut', (shm) => shm.subarray(0, 1_000)],
    ['rubbish', (shm) => Buffer.alloc(shm.length, 0xa5)],
    ['zeros', (shm) => Buffer.alloc(shm.length)],
  ])('lose nothing with the -shm %s: it is made anew', async (_, change) => {
    const { fifteen, checkpoint } = await moments()
    const shm = change(fifteen.get('-shm') ?? Buffer.alloc(0))
    const others = [...fifteen].filter(([suffix]) => suffix !== '-shm')
    expect(await fateOf(put(shm === null ? others : [...others, ['-shm', shm]]), checkpoint)).toBe(16)
  })

  it('are an earlier whole ledger with the -wal cut anywhere, as far as its transactions reach', async () => {
    const { ten, checkpoint } = await moments()
    const wal = ten.get('-wal') ?? Buffer.alloc(0)
    expect(wal.length).toBeGreaterThan(50_000)
    const step = byTier({ short: 12_289, long: 12_289, slow: 501 })
    const seen: (string | number)[] = []
    for (let length = 0; length <= wal.length; length += step) {
      const fate = await fateOf(put([...ten, ['-wal', wal.subarray(0, length)]]), checkpoint)
      expect(typeof fate === 'string' ? ['refused', 'broken'] : [fate]).toContain(fate)
      seen.push(fate)
    }
    const entries = seen.filter((fate) => typeof fate === 'number')
    expect(entries).toEqual([...entries].sort((a, b) => a - b))
    expect(entries.at(-1)).toBeGreaterThan(6)
  })

  it('are never more than what was written, with a page of the -wal in rubbish', async () => {
    const { ten, checkpoint } = await moments()
    const wal = ten.get('-wal') ?? Buffer.alloc(0)
    for (let at = 0; at < wal.length; at += 30_011) {
      const spoilt = Buffer.from(wal)
      spoilt.fill(0xa5, at, Math.min(at + 4_096, wal.length))
      const fate = await fateOf(put([...ten, ['-wal', spoilt]]), checkpoint)
      if (typeof fate === 'number') expect(fate).toBeLessThanOrEqual(11)
    }
  })
})

describe('files of several moments, or of several ledgers', () => {
  it.each<[string, (all: Awaited<ReturnType<typeof moments>>) => [database: Copy, wal: Copy]]>([
    ['a later database, an earlier -wal', ({ closed, five }) => [closed, five]],
    ['an earlier database, a later -wal', ({ five, fifteen }) => [five, fifteen]],
    ['a database of before its first checkpoint, the -wal of behind it', ({ ten, fifteen }) => [ten, fifteen]],
  ])('are refused, broken, or a whole earlier ledger: %s', async (_, pick) => {
    const all = await moments()
    const [database, wal] = pick(all)
    const path = put([
      ['', database.get('') ?? Buffer.alloc(0)],
      ['-wal', wal.get('-wal') ?? Buffer.alloc(0)],
    ])
    const fate = await fateOf(path, all.checkpoint)
    expect(['refused', 'broken', 6, 11, 16]).toContain(fate)
  })

  it('are never taken for ours with the -wal of another ledger', async () => {
    const { closed, checkpoint } = await moments()
    const other = join(temporaryFolder(), 'other.sqlite')
    const ledger = SqliteLedger.open(other)
    for (let n = 0; n < 40; n += 1) await ledger.append(decisionDraft(n))
    const path = put(closed)
    copyFileSync(`${other}-wal`, `${path}-wal`)
    await ledger.close()
    const fate = await coded(
      async () => (await verifyFile(path, { publicKeys: [OWNER_KEY], checkpoints: [checkpoint] })).verdict,
    )
    expect(['refused', 'broken']).toContain(fate)
    expect(await coded(async () => SqliteLedger.open(path, { signer: OWNER, origin: ORIGIN }))).toBe('refused')
  })

  it('a -shm of another moment loses nothing', async () => {
    const { ten, fifteen, checkpoint } = await moments()
    const shm = ten.get('-shm') ?? Buffer.alloc(0)
    expect(await fateOf(put([...fifteen, ['-shm', shm]]), checkpoint)).toBe(16)
  })
})

describe('a database that is cut under its writer', () => {
  it.each<[string, (size: number) => number]>([
    ['to nothing', () => 0],
    ['to its first two pages', () => 8_192],
    ['to half, within a page', (size) => size / 2 + 100],
    ['by its last page', (size) => size - 4_096],
  ])('%s: it stops for good', async (_, cutTo) => {
    const path = join(temporaryFolder(), 'ledger.sqlite')
    const options = { signer: OWNER, origin: ORIGIN }
    const first = SqliteLedger.open(path, options)
    for (let n = 0; n < 40; n += 1) await first.append(decisionDraft(n))
    await first.close()
    const ledger = SqliteLedger.open(path, options)
    await ledger.append(decisionDraft(50))
    truncateSync(path, cutTo(statSync(path).size))
    const answers = []
    for (const n of [51, 52, 53]) answers.push(await refusalOf(() => ledger.append(decisionDraft(n))))
    await coded(() => ledger.close())
    expect(answers).toEqual(['LEDGER_DAMAGED', 'LEDGER_DAMAGED', 'LEDGER_DAMAGED'])
  })
})
