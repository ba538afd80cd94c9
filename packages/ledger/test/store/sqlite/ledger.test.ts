import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Signer } from '@sudoagent/crypto'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { openLedgerReader } from '../../../src/store/open.js'
import { SqliteLedger } from '../../../src/store/sqlite/ledger.js'
import { decisionDraft, testKey, testSigner } from '../../fixtures/draft.js'
import { verifyFile } from '../../fixtures/ledger-file.js'
import { canRun, kill9, notice, run, runScript, startScript, tinyFileSystem } from '../../fixtures/process/child.js'
import { refusalOf } from '../../fixtures/refusal.js'
import { temporaryFolder } from '../../fixtures/temporary.js'
import { testDurableStore, testStoreContract } from '../contract.js'
import { testSharedOnce } from '../contract-once.js'
import { testSharedQuestions } from '../contract-questions.js'
import { testSharedStops } from '../contract-stops.js'

const PYTHON_LEDGER = join(import.meta.dirname, '../../../../../../shared/vectors/python-v2/plain.sqlite')
const hasPython = existsSync(PYTHON_LEDGER)
const hasStrace = canRun('strace', '-o', '/dev/null', 'true')
const hasSqlite3 = canRun('sqlite3', '--version')
if (!hasPython) notice('SQLite ledgers from the Python implementation (../shared/vectors is missing)')
if (!hasStrace) notice('calls to fdatasync, and a failing call (strace is missing or not permitted)')
if (!hasSqlite3) notice('the sqlite3 shell together with our writer (sqlite3 is missing)')

const newPath = (): string => join(temporaryFolder(), 'ledger.sqlite')
const makePlace = () => {
  const path = newPath()
  return { open: (options = {}) => SqliteLedger.open(path, options), read: () => openLedgerReader(path) }
}

describe('SqliteLedger', () => {
  testStoreContract(makePlace)
  testDurableStore(makePlace)
  testSharedStops(makePlace)
  testSharedQuestions(makePlace)
  testSharedOnce(makePlace)

  it('makes its files for their owner only, and leaves one file behind', async () => {
    const path = newPath()
    const ledger = SqliteLedger.open(path)
    await ledger.append(decisionDraft(1))
    const names = readdirSync(dirname(path)).sort()
    expect(names).toEqual(['ledger.sqlite', 'ledger.sqlite-shm', 'ledger.sqlite-wal'])
    expect(names.map((name) => statSync(join(dirname(path), name)).mode & 0o777)).toEqual([0o600, 0o600, 0o600])
    await ledger.close()
    expect(readdirSync(dirname(path))).toEqual(['ledger.sqlite'])
  })

  it('writes the rows that the Python implementation would', async () => {
    const path = newPath()
    const ledger = SqliteLedger.open(path)
    const { entryHash } = await ledger.append(decisionDraft(1))
    const { entryHash: second } = await ledger.append(decisionDraft(2))
    await ledger.close()
    const db = new Database(path, { readonly: true })
    expect(db.pragma('journal_mode', { simple: true })).toBe('wal')
    expect(db.prepare('SELECT id, typeof(entry_json) AS type, entry_hash, prev_entry_hash FROM ledger').all()).toEqual([
      { id: 1, type: 'text', entry_hash: expect.any(String), prev_entry_hash: null },
      { id: 2, type: 'text', entry_hash: entryHash, prev_entry_hash: expect.any(String) },
      { id: 3, type: 'text', entry_hash: second, prev_entry_hash: entryHash },
    ])
    db.close()
  })

  it.skipIf(!hasStrace)('syncs the disk for every append that is waited for', async () => {
    const path = newPath()
    const log = `${path}.calls`
    const wrapper = ['strace', '-f', '-o', log, '-e', 'trace=fsync,fdatasync']
    await runScript('append.mjs', ['sqlite', path, 'a', '25'], { wrapper })
    // With `synchronous=NORMAL`, better-sqlite3's default for WAL, there would be only a few syncs.
    expect(readFileSync(log, 'utf8').match(/f(data)?sync\(/g)?.length).toBeGreaterThanOrEqual(25)
  })

  it.skipIf(!hasPython)('continues a ledger of the Python implementation', async () => {
    const path = newPath()
    copyFileSync(PYTHON_LEDGER, path)
    const before = await verifyFile(path)
    const ledger = SqliteLedger.open(path, { signer: testSigner(1) })
    expect((await ledger.append(decisionDraft(1))).position).toBe(before.entries + 1)
    await ledger.close()
    expect(await verifyFile(path)).toMatchObject({ ok: true, entries: before.entries + 1, signed_entries: 1 })
  })
})

describe('several writers', () => {
  it('keep one chain, taking turns in one process', async () => {
    const path = newPath()
    const ledgers = [SqliteLedger.open(path), SqliteLedger.open(path), SqliteLedger.open(path)]
    const appends = Array.from({ length: 60 }, (_, n) => ledgers[n % 3]?.append(decisionDraft(n)))
    const positions = (await Promise.all(appends)).map((entry) => entry?.position ?? 0)
    expect(positions.sort((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, n) => n + 2))
    await Promise.all(ledgers.map((ledger) => ledger.close()))
    expect(await verifyFile(path)).toMatchObject({ ok: true, entries: 61 })
  })

  it('do not stop one another while a signer is waiting for its answer', async () => {
    const path = newPath()
    const local = testSigner(1)
    const remote: Signer = { ...local, sign: async (message) => delay(30).then(() => local.sign(message)) }
    const [slow, fast] = [SqliteLedger.open(path, { signer: remote }), SqliteLedger.open(path, { signer: local })]
    await Promise.all([1, 2, 3].flatMap((n) => [slow.append(decisionDraft(n)), fast.append(decisionDraft(n + 10))]))
    await Promise.all([slow.close(), fast.close()])
    expect(await verifyFile(path, { publicKeys: [testKey(1).publicKey] })).toMatchObject({
      verdict: 'signed',
      entries: 7,
    })
  })

  it('may all open a ledger that is not there yet, at the same time', async () => {
    const path = newPath()
    const answers = await Promise.all(
      ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => runScript('append.mjs', ['sqlite', path, name, '2'])),
    )
    expect(answers.flat().sort((a, b) => Number(a) - Number(b))).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13])
    expect(await verifyFile(path)).toMatchObject({ ok: true, entries: 13 })
  })

  it('give up after their time, with the event loop free meanwhile, and nothing is written', async () => {
    const path = newPath()
    const ledger = SqliteLedger.open(path, { busyTimeoutMs: 200 })
    await ledger.append(decisionDraft(1))
    const other = new Database(path)
    other.exec('BEGIN IMMEDIATE')
    let turns = 0
    const ticker = setInterval(() => (turns += 1), 5)
    expect(await refusalOf(() => ledger.append(decisionDraft(2)))).toBe('LEDGER_BUSY')
    clearInterval(ticker)
    expect(turns).toBeGreaterThan(5)
    other.exec('COMMIT')
    other.close()
    expect((await ledger.append(decisionDraft(3))).position).toBe(3)
    await ledger.close()
    expect(await verifyFile(path)).toMatchObject({ ok: true, entries: 3 })
  })

  it('give up opening after their time', async () => {
    const path = newPath()
    await SqliteLedger.open(path).close()
    const other = new Database(path)
    other.exec('BEGIN EXCLUSIVE')
    expect(await refusalOf(() => SqliteLedger.open(path, { busyTimeoutMs: 50 }))).toBe('LEDGER_BUSY')
    other.close()
  })

  it.skipIf(!hasSqlite3)('keep their lock while the same process opens, reads and closes the ledger', async () => {
    // POSIX releases a process's locks when the process closes any descriptor of the file. Without the lock, the next
    // process that closes the database deletes the -wal in use, and later acknowledged entries are lost.
    const path = newPath()
    const ledger = SqliteLedger.open(path)
    await ledger.append(decisionDraft(1))
    await verifyFile(path)
    await SqliteLedger.open(path).close()
    const count = async (): Promise<string> =>
      (await run('sqlite3', [path, 'SELECT count(*) FROM ledger'])).stdout.trim()
    expect(await count()).toBe('2')
    expect(existsSync(`${path}-wal`)).toBe(true)
    await ledger.append(decisionDraft(2))
    expect(await count()).toBe('3')
    await ledger.close()
  })
})

describe('a writer that is killed', () => {
  it('leaves everything that it acknowledged, and a ledger to go on with', async () => {
    const path = newPath()
    let acknowledged = 0
    for (const name of ['a', 'b', 'c']) {
      const child = await startScript('append.mjs', ['sqlite', path, name, '100000', '8'])
      child.stdout?.on('data', (chunk: Buffer) => {
        acknowledged = Math.max(
          acknowledged,
          ...chunk
            .toString()
            .split('\n')
            .filter((line) => /^\d+$/.test(line))
            .map(Number),
        )
      })
      await delay(60)
      await kill9(child)
      const { ok, entries } = await verifyFile(path)
      expect(ok).toBe(true)
      expect(entries).toBeGreaterThanOrEqual(acknowledged)
    }
    expect(acknowledged).toBeGreaterThan(0)
    const ledger = SqliteLedger.open(path)
    await ledger.append(decisionDraft(1))
    await ledger.close()
    expect((await verifyFile(path)).ok).toBe(true)
  })
})

describe('a disk', () => {
  it('that is full: nothing is half written, and appends work again when there is room', async (context) => {
    const folder = tinyFileSystem(temporaryFolder(), 512)
    if (folder === null) {
      notice('a full disk (mounting is not permitted)')
      return context.skip()
    }
    const path = join(folder, 'ledger.sqlite')
    const ledger = SqliteLedger.open(path)
    await ledger.append(decisionDraft(1))
    writeFileSync(join(folder, 'ballast'), Buffer.alloc(390 * 1024))
    const tooMuch = Array.from({ length: 10 }, (_, n) =>
      ledger.append(decisionDraft(n + 2, { kwargs: { blob: 'x'.repeat(20_000) } })),
    )
    const answers = await Promise.allSettled(tooMuch)
    expect(answers.map((one) => (one.status === 'rejected' ? one.reason.code : one.value))).toEqual(
      Array(10).fill('LEDGER_WRITE_FAILED'),
    )
    expect(await verifyFile(path)).toMatchObject({ ok: true, entries: 2 })
    rmSync(join(folder, 'ballast'))
    expect((await ledger.append(decisionDraft(20))).position).toBe(3)
    await ledger.close()
    expect(await verifyFile(path)).toMatchObject({ ok: true, entries: 3 })
  })

  it.skipIf(!hasStrace)('that fails to sync: not acknowledged, and the writer never goes on', async () => {
    const path = newPath()
    await runScript('append.mjs', ['sqlite', path, 'a', '2'])
    const inject = [
      'strace',
      '-f',
      '-o',
      '/dev/null',
      '-e',
      'trace=fdatasync,fsync',
      '-e',
      'inject=fdatasync,fsync:error=EIO:when=4',
    ]
    const answers = await runScript('append.mjs', ['sqlite', path, 'b', '8'], { wrapper: inject })
    const acknowledged = answers.filter((answer) => typeof answer === 'number')
    // After the first failure, every append fails, and no later append is acknowledged.
    expect(answers.slice(0, acknowledged.length)).toEqual(acknowledged)
    expect(new Set(answers.slice(acknowledged.length))).toEqual(new Set(['LEDGER_WRITE_FAILED']))
    expect(answers.length - acknowledged.length).toBeGreaterThan(1)
    const { ok, entries } = await verifyFile(path)
    expect(ok).toBe(true)
    expect(entries).toBeGreaterThanOrEqual(2 + acknowledged.length)
  })
})
