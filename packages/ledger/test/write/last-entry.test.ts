import { describe, expect, it } from 'vitest'
import { readTail } from '../../src/write/last-entry.js'
import { decisionDraft, momentAt } from '../fixtures/draft.js'
import { refusalOf } from '../fixtures/refusal.js'
import { entriesOf, sealAll, writtenLines } from '../fixtures/seal.js'

const [line = ''] = await writtenLines([decisionDraft(1)])
const tail = (text: string) => readTail(Buffer.from(text), 'ledger')

describe('readTail', () => {
  it('gives what the chain needs of its last entry', () => {
    expect(tail(line)).toEqual({ entryHash: entriesOf([line])[0]?.entry_hash, recordedAt: momentAt(0) })
  })

  it('has no time for an entry of the Python implementation', () => {
    const [{ recorded_at: _, ...entry } = {}] = entriesOf([line])
    expect(tail(sealAll([entry])[0] ?? '').recordedAt).toBeNull()
  })

  it.each<[string, string, string]>([
    ['is no entry', '{}', 'LEDGER_NOT_A_LEDGER'],
    ['is nothing', '', 'LEDGER_NOT_A_LEDGER'],
    ['is not canonical', `${line} `, 'LEDGER_NOT_A_LEDGER'],
    ['was changed', line.replace('within', 'beyond'), 'LEDGER_DAMAGED'],
  ])('refuses a last entry that %s', async (_, text, code) => expect(await refusalOf(() => tail(text))).toBe(code))
})
