import { describe, expect, it } from 'vitest'
import { exportNdjson } from '../../src/export/ndjson.js'
import type { Criteria } from '../../src/read/criteria.js'
import { select } from '../../src/read/query.js'
import { openLedgerReader } from '../../src/store/open.js'
import { decisionDraft, outcomeDraft, testKey, testSigner } from '../fixtures/draft.js'
import { codesOf, jsonlOf, sqliteOf, verifyFile } from '../fixtures/ledger-file.js'
import { writtenLines } from '../fixtures/seal.js'

async function exported(path: string, criteria: Criteria = {}): Promise<string> {
  const reader = await openLedgerReader(path)
  let text = ''
  for await (const chunk of exportNdjson(select(reader, criteria))) text += chunk
  await reader.close()
  return text
}

const decision = decisionDraft(1, { kwargs: { text: 'line\nend \u2028 "' } })
const lines = await writtenLines([decision, outcomeDraft(decision), decisionDraft(2)], testSigner(1))

describe('exportNdjson', () => {
  it.each(['jsonl', 'sqlite'])('makes of a whole %s ledger a JSONL ledger that verifies', async (kind) => {
    const text = await exported(kind === 'jsonl' ? jsonlOf(lines) : sqliteOf(lines))
    expect(text).toBe(`${lines.join('\n')}\n`)
    const copy = jsonlOf(text.split('\n').slice(0, -1))
    expect(await verifyFile(copy, { publicKeys: [testKey(1).publicKey] })).toMatchObject({
      verdict: 'signed',
      entries: 3,
    })
  })

  it('makes of a part of one a file that does not', async () => {
    const part = await exported(jsonlOf(lines), { event: 'decision' })
    expect(codesOf(await verifyFile(jsonlOf(part.split('\n').slice(0, -1))))).toEqual(['CHAIN_BROKEN@2'])
  })

  it('is empty for nothing', async () => {
    expect(await exported(jsonlOf(lines), { action: 'none' })).toBe('')
  })
})
