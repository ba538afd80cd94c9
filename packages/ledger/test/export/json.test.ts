import { describe, expect, it } from 'vitest'
import { exportJson } from '../../src/export/json.js'
import { select } from '../../src/read/query.js'
import { MemoryLedger } from '../../src/store/memory.js'
import { decisionDraft } from '../fixtures/draft.js'

async function jsonOf(entries: number): Promise<string> {
  const ledger = new MemoryLedger()
  // The genesis entry is entry 1.
  for (let n = 2; n <= entries; n += 1) await ledger.append(decisionDraft(n))
  let text = ''
  for await (const chunk of exportJson(select(ledger.reader()))) text += chunk
  return text
}

describe('exportJson', () => {
  it.each([0, 2, 3, 300])('is one JSON array of %d entries, one a line', async (entries) => {
    const text = await jsonOf(entries)
    const array = JSON.parse(text) as { request_id: string }[]
    expect(array).toHaveLength(entries)
    expect(text.endsWith(']\n')).toBe(true)
    expect(text.split('\n')).toHaveLength(entries === 0 ? 2 : entries + 3)
  })
})
