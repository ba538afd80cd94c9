import { describe, expect, it } from 'vitest'
import { ledgerOf, linesIn, replaceLines } from '../fixtures/attack.js'
import { decisionDraft, testKey, testSigner } from '../fixtures/draft.js'
import { jsonlOf, verifyFile } from '../fixtures/ledger-file.js'
import { entriesOf, sealAll } from '../fixtures/seal.js'
import { soundLines } from '../fixtures/spoiled/ledgers.js'

describe('a key that was not given', () => {
  const withOther = { publicKeys: [testKey(2).publicKey] }
  const spoil = (n: number, change: (line: string) => string) => async () =>
    (await soundLines()).map((line, index) => (index === n ? change(line) : line))
  const SIGNATURE = /"entry_signature":"./

  it('is one finding with a count, and a verdict that says that nothing was checked', async () => {
    const report = await verifyFile(jsonlOf(await soundLines()), withOther)
    expect(report).toMatchObject({ ok: false, verdict: 'unverified', findings_total: 1 })
    expect(report.findings).toMatchObject([{ code: 'KEY_UNKNOWN', position: 1, count: 7 }])
  })

  it.each<[string, () => Promise<string[]>, string]>([
    ['an entry that was changed', spoil(3, (line) => line.replace('"amount":', '"amount": ')), 'broken'],
    ['an entry without a signature', spoil(6, (line) => line.replace(/"entry_signature":"[^"]+",/, '')), 'broken'],
    ['a missing entry', async () => (await soundLines()).filter((_, n) => n !== 4), 'broken'],
    ['nothing else', soundLines, 'unverified'],
  ])('and %s: %s', async (_, lines, verdict) => {
    expect((await verifyFile(jsonlOf(await lines()), withOther)).verdict).toBe(verdict)
  })

  it('among entries of a given key is a finding like any other', async () => {
    const entries = entriesOf(await soundLines()).map((entry, n) =>
      n === 5 ? { ...entry, key_id: testKey(3).publicKey.keyId } : entry,
    )
    const lines = sealAll(entries, (n) => testSigner(n === 5 ? 3 : 1))
    const report = await verifyFile(jsonlOf(lines), { publicKeys: [testKey(1).publicKey] })
    expect(report).toMatchObject({ verdict: 'broken', findings: [{ code: 'KEY_UNKNOWN', position: 6 }] })
  })

  it('of a ledger whose entries do not name their key', async () => {
    const lines = sealAll(
      entriesOf(await soundLines()).map(({ key_id: _, ...entry }) => entry),
      () => testSigner(1),
    )
    expect(await verifyFile(jsonlOf(lines), withOther)).toMatchObject({ verdict: 'unverified', findings_total: 1 })
    const bad = lines.map((line, n) => (n === 6 ? line.replace(SIGNATURE, '"entry_signature":"*') : line))
    expect((await verifyFile(jsonlOf(bad), withOther)).verdict).toBe('broken')
  })

  it('a signature by a key that the genesis names is checked all the same', async () => {
    const path = await ledgerOf('jsonl', [decisionDraft(1), decisionDraft(2)])
    expect((await verifyFile(path, { publicKeys: [testKey(9).publicKey] })).verdict).toBe('unverified')
    const changed = (await linesIn(path)).map((line, n) =>
      n === 2 ? line.replace(SIGNATURE, '"entry_signature":"A') : line,
    )
    replaceLines('jsonl', path, changed)
    const { verdict, findings } = await verifyFile(path, { publicKeys: [testKey(9).publicKey] })
    expect({ verdict, codes: findings.map(({ code }) => code) }).toEqual({
      verdict: 'broken',
      codes: ['KEY_UNKNOWN', 'SIGNATURE_INVALID'],
    })
  })
})
