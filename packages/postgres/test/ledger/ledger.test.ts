import { join } from 'node:path'
import { type LedgerReader, openLedgerReader, select, verify } from '@sudoagent/ledger'
import { proveInclusion } from '@sudoagent/ledger/proof'
import { SqliteLedger } from '@sudoagent/ledger/sqlite'
import Database from 'better-sqlite3'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  decisionDraft,
  outcomeDraft,
  requestIdOf,
  testKey,
  testSigner,
  tickingClock,
} from '../../../ledger/test/fixtures/draft.js'
import { refusalOf } from '../../../ledger/test/fixtures/refusal.js'
import { temporaryFolder } from '../../../ledger/test/fixtures/temporary.js'
import { testDurableStore, testStoreContract } from '../../../ledger/test/store/contract.js'
import { testSharedOnce } from '../../../ledger/test/store/contract-once.js'
import { testSharedQuestions } from '../../../ledger/test/store/contract-questions.js'
import { testSharedStops } from '../../../ledger/test/store/contract-stops.js'
import { PostgresLedger } from '../../src/ledger/ledger.js'
import { openPostgresLedger } from '../../src/ledger/reader.js'
import { asSuperuser } from '../server/cluster.js'
import { holdHeads, ledgerUrl, newDatabase } from '../server/shared.js'

let database: string
beforeAll(async () => {
  database = await newDatabase()
})

/**
 * The contract tests may read the ledger before the first append, and `start` does not wait until the ledger exists.
 * This function therefore creates the ledger in advance.
 */
const makePlace = () => {
  const url = ledgerUrl(database)
  const made = asSuperuser(
    database,
    'WITH made AS (INSERT INTO sudoagent.ledger (name) VALUES ($1) ON CONFLICT DO NOTHING RETURNING id) INSERT INTO sudoagent.head (ledger) SELECT id FROM made',
    [new URL(url).searchParams.get('ledger')],
  )
  return {
    open: (options = {}) => PostgresLedger.start(url, options),
    read: () => made.then(() => openPostgresLedger(url)),
  }
}

describe('PostgresLedger', () => {
  testStoreContract(makePlace)
  testDurableStore(makePlace)
  testSharedStops(makePlace)
  testSharedQuestions(makePlace)
  testSharedOnce(makePlace)

  it('makes what SQLite makes of the same calls, byte for byte: lines, hashes, tiles, head', async () => {
    const url = ledgerUrl(database)
    const path = join(temporaryFolder(), 'ledger.sqlite')
    const options = () => ({ signer: testSigner(1), clock: tickingClock(), generateId: () => 'the same in both' })
    const stores = [await PostgresLedger.open(url, options()), SqliteLedger.open(path, options())]
    for (const [from, count] of [
      [0, 300],
      [300, 1],
      [301, 700],
      [1_001, 50],
    ] as const) {
      const drafts = Array.from({ length: count }, (_, n) => decisionDraft(from + n))
      const [ours, theirs] = await Promise.all(
        stores.map((store) => Promise.all(drafts.map((draft) => store.append(draft)))),
      )
      expect(ours).toEqual(theirs)
    }
    await Promise.all(stores.map((store) => store.close()))
    const readers = [await openPostgresLedger(url), await openLedgerReader(path)]
    const [ours, theirs] = await Promise.all(readers.map(contentOf))
    expect(ours).toEqual(theirs)
    expect(ours?.lines).toHaveLength(1_052)
    const [report] = await Promise.all(readers.map((reader) => verify(reader, { publicKeys: [testKey(1).publicKey] })))
    expect(report).toMatchObject({ verdict: 'signed', entries: 1_052, tail: 0 })
    for (const position of [1, 256, 257, 1_051])
      expect(await proveInclusion(readers[0] as LedgerReader, position, 1_052)).toEqual(
        await proveInclusion(readers[1] as LedgerReader, position, 1_052),
      )
    await Promise.all(readers.map((reader) => reader.close()))
    const tiles = await asSuperuser<{ level: number; tile: string; hashes: Buffer }>(
      database,
      'SELECT level, tile, hashes FROM sudoagent.tile WHERE ledger = (SELECT id FROM sudoagent.ledger WHERE name = $1) ORDER BY level, tile',
      [new URL(url).searchParams.get('ledger')],
    )
    const db = new Database(path, { readonly: true })
    expect(tiles.map((row) => ({ ...row, tile: Number(row.tile) }))).toEqual(
      db.prepare('SELECT level, tile, hashes FROM sudoagent_tile ORDER BY level, tile').all(),
    )
    db.close()
  })

  it.each([
    ['a tile that is gone', 'DELETE FROM sudoagent.tile WHERE level = 1 AND ledger = '],
    ['a tile that is too short', "UPDATE sudoagent.tile SET hashes = '\\x00' WHERE level = 1 AND ledger = "],
    [
      'an entry whose hash is none',
      "SET session_replication_role = replica; UPDATE sudoagent.entry SET entry_hash = '' WHERE position = 300 AND ledger = ",
    ],
  ])('builds no tree upon %s', async (_, damage) => {
    const url = ledgerUrl(database)
    const name = new URL(url).searchParams.get('ledger')
    const ledger = await PostgresLedger.open(url)
    await Promise.all(Array.from({ length: 510 }, (_, n) => ledger.append(decisionDraft(n))))
    await asSuperuser(database, `${damage}(SELECT id FROM sudoagent.ledger WHERE name = '${name}')`)
    // This append would write the 512th entry, which would complete a tile.
    expect(await refusalOf(() => ledger.append(decisionDraft(510)))).toBe('LEDGER_DAMAGED')
    await ledger.close()
    const reader = await openPostgresLedger(url)
    expect(await reader.lineAt(512)).toBeNull()
    await reader.close()
  })

  describe('a writer behind whom another one wrote', () => {
    const CHANGED =
      "SET session_replication_role = replica; UPDATE sudoagent.entry SET entry_json = replace(entry_json, 'within', 'beyond') WHERE position = 4 AND ledger ="
    const recordedAt = (at: string) => `UPDATE sudoagent.head SET recorded_at = ${at} WHERE ledger =`

    it.each([
      ['at once', 'a time of the last entry that is none', recordedAt("'soon'"), 0],
      ['within a second', 'a last entry that was changed', CHANGED, 1_100],
      ['within a second', 'another time of the last entry', recordedAt("'9999-12-31T23:59:59.999999Z'"), 1_100],
      ['within a second', 'no time of the last entry', recordedAt('NULL'), 1_100],
    ])('finds %s %s, and whoever opens the ledger does so at once', async (_, __, damage, pauseMs) => {
      const url = ledgerUrl(database)
      const [one, other] = [await PostgresLedger.open(url), await PostgresLedger.open(url)]
      for (const [n, ledger] of [one, other, one].entries()) await ledger.append(decisionDraft(n))
      const name = new URL(url).searchParams.get('ledger')
      await asSuperuser(database, `${damage} (SELECT id FROM sudoagent.ledger WHERE name = '${name}')`)
      expect(await refusalOf(() => PostgresLedger.open(url))).toBe('LEDGER_DAMAGED')
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
      expect(await refusalOf(() => other.append(decisionDraft(3)))).toBe('LEDGER_DAMAGED')
      await Promise.all([one.close(), other.close()])
    })
  })

  it('finds the entries of a call by its index', async () => {
    const url = ledgerUrl(database)
    const ledger = await PostgresLedger.open(url)
    for (let n = 1; n <= 3; n += 1) {
      await ledger.append(decisionDraft(n))
      await ledger.append(outcomeDraft(decisionDraft(n)))
    }
    await ledger.close()
    const reader = await openPostgresLedger(url)
    expect((await reader.linesOfCall(requestIdOf(2)))?.map(({ position }) => position)).toEqual([4, 5])
    expect(await reader.linesOfCall('nobody')).toEqual([])
    expect(await reader.lineAt(8)).toBeNull()
    await reader.close()
  })

  it('hands over no more than a batch may hold, however long the lines are', async () => {
    const url = ledgerUrl(database)
    const ledger = await PostgresLedger.open(url)
    for (let n = 0; n < 12; n += 1) await ledger.append(decisionDraft(n, { kwargs: { blob: 'x'.repeat(2_000_000) } }))
    await ledger.close()
    const reader = await openPostgresLedger(url)
    const sizes: number[] = []
    for await (const batch of reader.batches()) sizes.push(batch.length)
    expect(sizes.length).toBeGreaterThan(2)
    expect(sizes.reduce((sum, size) => sum + size)).toBe(13)
    await reader.close()
  })

  it('goes on with its keys: one is added, one retired, and the ledger is closed for good', async () => {
    const url = ledgerUrl(database)
    const first = await PostgresLedger.open(url, { signer: testSigner(1) })
    await first.append(decisionDraft(1))
    await first.addKey(testSigner(2))
    expect(await refusalOf(() => PostgresLedger.open(url, { signer: testSigner(3) }))).toBe('KEY_REFUSED')
    const second = await PostgresLedger.open(url, { signer: testSigner(2) })
    await second.retireKey(testSigner(1).keyId)
    expect(await refusalOf(() => first.append(decisionDraft(2)))).toBe('KEY_REFUSED')
    await second.append(decisionDraft(2))
    await second.seal()
    expect(await refusalOf(() => second.append(decisionDraft(3)))).toBe('LEDGER_FINISHED')
    await Promise.all([first.close(), second.close()])
    const reader = await openPostgresLedger(url)
    expect(await verify(reader, { publicKeys: [testKey(1).publicKey] })).toMatchObject({ ok: true, entries: 6 })
    await reader.close()
  })
})

describe('several writers', () => {
  it('keep one chain without a gap, and take the ledger over from one another', async () => {
    const url = ledgerUrl(database)
    const writers = await Promise.all([1, 2, 3].map(() => PostgresLedger.open(url, { signer: testSigner(1) })))
    const appends = Array.from({ length: 90 }, (_, n) => writers[n % 3]?.append(decisionDraft(n)))
    const positions = (await Promise.all(appends)).map((entry) => entry?.position ?? 0)
    expect(positions.sort((a, b) => a - b)).toEqual(Array.from({ length: 90 }, (_, n) => n + 2))
    await Promise.all(writers.map((writer) => writer.close()))
    const reader = await openPostgresLedger(url)
    expect(await verify(reader, { publicKeys: [testKey(1).publicKey] })).toMatchObject({
      verdict: 'signed',
      entries: 91,
    })
    await reader.close()
  })

  it('give up after their time, and nothing is written', async () => {
    const url = ledgerUrl(database)
    const ledger = await PostgresLedger.open(url, { busyTimeoutMs: 200 })
    await ledger.append(decisionDraft(1))
    const letGo = await holdHeads(database)
    expect(await refusalOf(() => ledger.append(decisionDraft(2)))).toBe('LEDGER_BUSY')
    await letGo()
    expect((await ledger.append(decisionDraft(3))).position).toBe(3)
    await ledger.close()
  })

  it('of many ledgers in one database do not wait for one another', async () => {
    const urls = [1, 2, 3].map(() => ledgerUrl(database))
    const writers = await Promise.all(urls.map((url) => PostgresLedger.open(url)))
    await Promise.all(writers.flatMap((writer) => [1, 2].map((n) => writer.append(decisionDraft(n)))))
    await Promise.all(writers.map((writer) => writer.close()))
    for (const url of urls) {
      const reader = await openPostgresLedger(url)
      expect(await verify(reader)).toMatchObject({ ok: true, entries: 3 })
      await reader.close()
    }
  })
})

async function contentOf(reader: LedgerReader): Promise<{ readonly lines: string[]; readonly head: unknown }> {
  const lines = []
  for await (const { json } of select(reader)) lines.push(json)
  return { lines, head: (await reader.evidence()).head }
}
