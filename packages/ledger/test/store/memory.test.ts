import { describe, expect, it } from 'vitest'
import { MemoryLedger } from '../../src/store/memory.js'
import { verify } from '../../src/verify/verify.js'
import { decisionDraft } from '../fixtures/draft.js'
import { testStoreContract } from './contract.js'

describe('MemoryLedger', () => {
  testStoreContract(() => {
    let ledger = new MemoryLedger()
    return {
      open: (options) => {
        ledger = new MemoryLedger(options)
        return ledger
      },
      read: async () => ledger.reader(),
    }
  })

  it('says how many entries a reader will find', async () => {
    const ledger = new MemoryLedger()
    for (let n = 1; n <= 300; n += 1) await ledger.append(decisionDraft(n))
    const reader = ledger.reader()
    expect([reader.kind, reader.sizeHint]).toEqual(['memory', 301])
    const seen: number[] = []
    await verify(reader, { onProgress: (entries) => seen.push(entries) })
    expect(seen).toEqual([256, 301])
  })
})
