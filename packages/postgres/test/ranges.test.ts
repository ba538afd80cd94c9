// Tests that verification by range gives the same report as verification line by line, even if rows were tampered with.
import { verify } from '@sudoagent/ledger'
import { beforeAll, expect, it } from 'vitest'
import { decisionDraft, outcomeDraft, testKey, testSigner } from '../../ledger/test/fixtures/draft.js'
import { inRanges, withoutRanges } from '../../ledger/test/fixtures/ranges.js'
import { sealTexts } from '../../ledger/test/fixtures/seal.js'
import { PostgresLedger } from '../src/ledger/ledger.js'
import { openPostgresLedger } from '../src/ledger/reader.js'
import { asSuperuser } from './server/cluster.js'
import { ledgerUrl, newDatabase } from './server/shared.js'

let database: string
beforeAll(async () => {
  database = await newDatabase()
})

const spoil = async (url: string, change: string) => {
  const where = `ledger = (SELECT id FROM sudoagent.ledger WHERE name = '${new URL(url).searchParams.get('ledger')}')`
  const line = (n: number) => `(SELECT entry_json FROM sudoagent.entry WHERE ${where} AND position = ${n})`
  const text = change.replaceAll('WHERE ', `WHERE ${where} AND `).replace('LINE6', line(6))
  await asSuperuser(database, `ALTER TABLE sudoagent.entry DISABLE TRIGGER ALL; ${text}`)
}

it.each([
  ['a sound one', 'SELECT 1', true],
  ['an entry changed', `UPDATE sudoagent.entry SET entry_json = replace(entry_json, 'EUR', 'USD') WHERE position = 5`],
  ['a hash beside it', `UPDATE sudoagent.entry SET entry_hash = repeat('0', 64) WHERE position = 5`],
  ['a hash that is none', `UPDATE sudoagent.entry SET entry_hash = '' WHERE position = 5`],
  ['the one before', `UPDATE sudoagent.entry SET prev_entry_hash = NULL WHERE position = 5`],
  ['a gap', 'DELETE FROM sudoagent.entry WHERE position = 5'],
  ['its end gone', 'DELETE FROM sudoagent.entry WHERE position > 9'],
  ['a place far away', 'UPDATE sudoagent.entry SET position = 9007199254740991 WHERE position = 21'],
  ['a place below', 'UPDATE sudoagent.entry SET position = 0 WHERE position = 1'],
  ['an empty line', `UPDATE sudoagent.entry SET entry_json = '' WHERE position = 5`],
  ['a long line', `UPDATE sudoagent.entry SET entry_json = repeat('x', 20000) WHERE position = 5`],
  [
    'two lines in one row',
    `UPDATE sudoagent.entry SET entry_json = entry_json || chr(10) || LINE6 WHERE position = 5;
     UPDATE sudoagent.entry SET entry_json = repeat('x', 20000) WHERE position = 6`,
  ],
])('%s: the same report as line by line', async (_, change, ok = false) => {
  const url = ledgerUrl(database)
  const ledger = await PostgresLedger.open(url, { signer: testSigner(1) })
  for (let n = 1; n <= 10; n += 1) {
    const call = decisionDraft(n, { kwargs: { currency: 'EUR' } })
    await Promise.all([ledger.append(call), ledger.append(outcomeDraft(call))])
  }
  await ledger.close()
  await spoil(url, change)
  const reader = await openPostgresLedger(url)
  const options = { publicKeys: [testKey(1).publicKey] }
  const report = await verify(withoutRanges(reader), options)
  expect(report.ok).toBe(ok)
  expect(await verify(reader, options)).toEqual(report)
  for (const step of [1, 2, 5]) expect(await verify(inRanges(reader, step), options), `${step}`).toEqual(report)
  await reader.close()
})

it('a line feed in a string, sealed by somebody who can compute hashes: found, as line by line', async () => {
  const url = ledgerUrl(database)
  const ledger = await PostgresLedger.open(url)
  const call = decisionDraft(1)
  await ledger.append(call)
  await ledger.append(outcomeDraft(call))
  await ledger.close()
  const before = await openPostgresLedger(url)
  const lines: string[] = []
  for await (const batch of before.batches()) for (const { bytes } of batch) lines.push(`${bytes}`)
  await before.close()
  const raw = lines.with(-1, lines.at(-1)?.replace('within limit', 'within\nlimit') ?? '')
  const last = sealTexts(raw, null).at(-1) ?? ''
  const hash = /"entry_hash":"(\w+)"/.exec(last)?.[1]
  await spoil(url, `UPDATE sudoagent.entry SET entry_json = '${last}', entry_hash = '${hash}' WHERE position = 3`)
  const reader = await openPostgresLedger(url)
  const report = await verify(withoutRanges(reader))
  expect(report.findings).toContainEqual(expect.objectContaining({ code: 'LINE_NOT_JSON', position: 3 }))
  for (const step of [1, 2, 5]) expect(await verify(inRanges(reader, step)), `${step}`).toEqual(report)
  await reader.close()
})

it('judged by threads, by one, and line by line: the same report', async () => {
  const url = ledgerUrl(database)
  const ledger = await PostgresLedger.open(url)
  for (let from = 0; from < 6_000; from += 500) {
    const calls = Array.from({ length: 500 }, (_, n) => decisionDraft(from + n))
    await Promise.all(calls.flatMap((call) => [ledger.append(call), ledger.append(outcomeDraft(call))]))
  }
  await ledger.close()
  const reader = await openPostgresLedger(url)
  const report = await verify(withoutRanges(reader))
  expect(report).toMatchObject({ ok: true, entries: 12_001 })
  // There are enough ranges for `verify` to use two threads.
  for (const threads of [1, 2]) {
    const handed = await verify(inRanges(reader, 256), { threads })
    expect(handed, `${threads} threads`).toEqual(report)
  }
  await reader.close()
})
