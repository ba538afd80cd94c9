import {
  chmodSync,
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { openLedgerReader } from '../../../src/store/open.js'
import { SqliteLedger } from '../../../src/store/sqlite/ledger.js'
import { verify } from '../../../src/verify/verify.js'
import { decisionDraft } from '../../fixtures/draft.js'
import { sqliteOf, verifyFile } from '../../fixtures/ledger-file.js'
import { canRun, kill9, notice, runScript, startScript, tinyFileSystem } from '../../fixtures/process/child.js'
import { writtenLines } from '../../fixtures/seal.js'
import { temporaryFolder } from '../../fixtures/temporary.js'

const lines = await writtenLines(Array.from({ length: 40 }, (_, n) => decisionDraft(n)))
const NOBODY = '65534'
const isRoot = process.getuid?.() === 0
if (!isRoot) notice('reading as a different user (requires root)')

/** Returns everything that a reader could change: the names, sizes, times and contents of the files. */
function traces(folder: string): unknown {
  const { mtimeMs, mode } = statSync(folder)
  const files = readdirSync(folder).map((name) => {
    const { mtimeMs: changed, size, mode: bits } = statSync(join(folder, name))
    return [name, size, bits, changed, readFileSync(join(folder, name)).toString('base64')]
  })
  return { mtimeMs, mode, files }
}

/** Creates the files that a killed writer leaves: a ledger of three entries, with its -wal and -shm files. */
async function crashed(): Promise<string> {
  const path = join(temporaryFolder(), 'ledger.sqlite')
  const writer = await startScript('hold.mjs', ['sqlite', path, '3'])
  await kill9(writer)
  expect(readdirSync(dirname(path)).sort()).toEqual(['ledger.sqlite', 'ledger.sqlite-shm', 'ledger.sqlite-wal'])
  return path
}

describe('reading leaves no trace', () => {
  // The reader copies files to the temporary folder. The test therefore uses its own temporary folder, and requires
  // that only the test's files are left there at the end.
  beforeEach(() => {
    const folder = mkdtempSync(join(tmpdir(), 'sudoagent-test-'))
    chmodSync(folder, 0o777)
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    vi.stubEnv('TMPDIR', folder)
  })
  afterEach(() => {
    const folder = tmpdir()
    vi.unstubAllEnvs()
    expect(readdirSync(folder).filter((name) => !name.startsWith('sudoagent-test-'))).toEqual([])
  })

  it.each([true, false])('beside a database at rest that may be written (WAL: %s)', async (wal) => {
    const path = sqliteOf(lines, { wal })
    const before = readFileSync(path)
    const { mtimeMs } = statSync(path)
    expect(await verifyFile(path)).toMatchObject({ ok: true, entries: 40 })
    expect(readdirSync(dirname(path))).toEqual(['ledger.sqlite'])
    expect([statSync(path).mtimeMs, readFileSync(path).equals(before)]).toEqual([mtimeMs, true])
  })

  it.each([true, false])('in a read-only folder, of a read-only file (WAL: %s)', async (wal) => {
    const path = sqliteOf(lines, { wal })
    const folder = dirname(path)
    chmodSync(path, 0o444)
    chmodSync(folder, 0o555)
    const before = traces(folder)
    expect(await verifyFile(path)).toMatchObject({ ok: true, entries: 40 })
    if (isRoot) {
      chmodSync(folder, 0o555)
      expect(await runScript('verify.mjs', [path, NOBODY])).toMatchObject([{ ok: true, entries: 40 }])
    }
    expect(traces(folder)).toEqual(before)
    chmodSync(folder, 0o755)
  })

  it.skipIf(!isRoot)('of a ledger that another user crashed on', async () => {
    const path = await crashed()
    for (const suffix of ['', '-wal', '-shm']) chmodSync(`${path}${suffix}`, 0o444)
    chmodSync(dirname(path), 0o555)
    const before = traces(dirname(path))
    expect(await runScript('verify.mjs', [path, NOBODY])).toMatchObject([{ ok: true, entries: 4 }])
    expect(traces(dirname(path))).toEqual(before)
  })

  it.each([
    ['whole', (shm: Buffer) => shm],
    // After a power failure, the -shm file, which is the index of the -wal file, is not reliable. SQLite would rebuild
    // the index, but cannot write to this folder.
    ['empty', () => Buffer.alloc(0)],
    ['blank', (shm: Buffer) => Buffer.alloc(shm.length)],
  ] as const)('on a read-only medium, with the -wal of a crash and a -shm that is %s', async (_, change) => {
    const source = await crashed()
    const folder = tinyFileSystem(temporaryFolder(), 1024)
    if (folder === null) return notice('a read-only file system (mounting is not permitted)')
    const path = join(folder, 'ledger.sqlite')
    for (const suffix of ['', '-wal']) copyFileSync(`${source}${suffix}`, `${path}${suffix}`)
    writeFileSync(`${path}-shm`, change(readFileSync(`${source}-shm`)))
    expect(canRun('mount', '-o', 'remount,ro', folder)).toBe(true)
    const before = traces(folder)
    expect(await verifyFile(path)).toMatchObject({ ok: true, entries: 4 })
    expect(traces(folder)).toEqual(before)
  })
})

describe('what lies beside the database', () => {
  it('is read with it: the -wal of a writer that was killed', async () => {
    const path = await crashed()
    const database = readFileSync(path)
    const wal = readFileSync(`${path}-wal`)
    expect(await verifyFile(path)).toMatchObject({ ok: true, entries: 4 })
    expect(readdirSync(dirname(path)).sort()).toEqual(['ledger.sqlite', 'ledger.sqlite-shm', 'ledger.sqlite-wal'])
    expect([readFileSync(path).equals(database), readFileSync(`${path}-wal`).equals(wal)]).toEqual([true, true])
  })

  it('is read with it: a -wal without its -shm', async () => {
    const path = await crashed()
    rmSync(`${path}-shm`)
    const before = traces(dirname(path))
    expect(await verifyFile(path)).toMatchObject({ ok: true, entries: 4 })
    expect(traces(dirname(path))).toEqual(before)
  })

  it('is read with it: the -journal of a transaction that was cut off', async () => {
    const path = sqliteOf(lines)
    // A crash during a commit leaves changed pages in the file and the old pages in the journal.
    const hot = join(temporaryFolder(), 'ledger.sqlite')
    const db = new Database(path)
    db.pragma('cache_size = 1')
    db.exec('BEGIN; DELETE FROM ledger WHERE id > 5; CREATE TABLE filler AS SELECT * FROM ledger a, ledger b')
    copyFileSync(path, hot)
    copyFileSync(`${path}-journal`, `${hot}-journal`)
    db.exec('ROLLBACK')
    db.close()
    const before = traces(dirname(hot))
    expect(await verifyFile(hot)).toMatchObject({ ok: true, entries: 40 })
    expect(traces(dirname(hot))).toEqual(before)
  })

  it('does not stop a reader: a -journal that somebody put beside a -wal', async () => {
    const path = await crashed()
    writeFileSync(`${path}-journal`, 'not made by SQLite')
    const before = traces(dirname(path))
    expect(await verifyFile(path)).toMatchObject({ ok: true, entries: 4 })
    expect(traces(dirname(path))).toEqual(before)
  })

  it('does not stop a reader: a live writer in another process', async () => {
    const path = join(temporaryFolder(), 'ledger.sqlite')
    const writer = await startScript('hold.mjs', ['sqlite', path, '5'])
    expect(await verifyFile(path)).toMatchObject({ ok: true, entries: 6 })
    expect(await runScript('append.mjs', ['sqlite', path, 'b', '2'])).toEqual([7, 8])
    const reader = await openLedgerReader(path)
    expect(await runScript('append.mjs', ['sqlite', path, 'c', '1'])).toEqual([9])
    expect(await verify(reader)).toMatchObject({ ok: true, entries: 8 })
    await reader.close()
    await kill9(writer)
  })

  it('does not stop a reader: a writer in the middle of a transaction', async () => {
    const path = join(temporaryFolder(), 'ledger.sqlite')
    const ledger = SqliteLedger.open(path)
    await ledger.append(decisionDraft(1))
    const other = new Database(path)
    other.exec('BEGIN IMMEDIATE; DELETE FROM ledger')
    expect(await verifyFile(path)).toMatchObject({ ok: true, entries: 2 })
    other.exec('ROLLBACK')
    other.close()
    await ledger.close()
  })
})
