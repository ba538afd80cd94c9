// Tests that the three stores are equivalent: the same calls at the same times give the same chain, hash for hash.
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { EntryDraft } from '../../src/entry/entry.js'
import type { LedgerReader } from '../../src/port/reader.js'
import type { LedgerWriter } from '../../src/port/writer.js'
import { select } from '../../src/read/query.js'
import { JsonlLedger } from '../../src/store/jsonl/ledger.js'
import { MemoryLedger } from '../../src/store/memory.js'
import { openLedgerReader } from '../../src/store/open.js'
import { SqliteLedger } from '../../src/store/sqlite/ledger.js'
import { anyObject } from '../fixtures/arbitrary.js'
import { decisionDraft, EPOCH_MS, outcomeDraft, testSigner } from '../fixtures/draft.js'
import { temporaryFolder } from '../fixtures/temporary.js'

/** Drafts that are appended together. The ledger refuses some of these drafts. */
const step = fc.record({
  offsetMs: fc.integer({ min: -10_000, max: 10_000 }),
  drafts: fc.array(
    fc.record({ n: fc.nat(5), kwargs: anyObject, kind: fc.constantFrom('decision', 'outcome', 'refused') }),
    { minLength: 1, maxLength: 4 },
  ),
})

function draftOf({
  n,
  kwargs,
  kind,
}: {
  n: number
  kwargs: EntryDraft['parameters']['kwargs']
  kind: string
}): EntryDraft {
  const decision = decisionDraft(n, { kwargs })
  if (kind === 'refused') return { ...decision, action: '' }
  return kind === 'outcome' ? outcomeDraft(decision) : decision
}

it('memory, JSONL and SQLite make the same chain of the same calls', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 5 }), fc.boolean(), async (steps, signed) => {
      const folder = temporaryFolder()
      let now = EPOCH_MS
      const clock = (): Date => new Date(now)
      const common = { clock, generateId: () => 'the same in all of them' }
      const options = signed ? { ...common, signer: testSigner(1) } : common
      const memory = new MemoryLedger(options)
      const [jsonlPath, sqlitePath] = [join(folder, 'ledger.jsonl'), join(folder, 'ledger.sqlite')]
      const stores: LedgerWriter[] = [
        memory,
        JsonlLedger.open(jsonlPath, options),
        SqliteLedger.open(sqlitePath, options),
      ]
      for (const { offsetMs, drafts } of steps) {
        now = EPOCH_MS + offsetMs
        const answers = await Promise.all(
          stores.map((store) => Promise.allSettled(drafts.map((draft) => store.append(draftOf(draft))))),
        )
        const shown = answers.map((all) => all.map((one) => (one.status === 'fulfilled' ? one.value : one.reason.code)))
        expect(shown[1]).toEqual(shown[0])
        expect(shown[2]).toEqual(shown[0])
      }
      await Promise.all(stores.map((store) => store.close()))
      const [first, second, third] = await Promise.all(
        [memory.reader(), await openLedgerReader(jsonlPath), await openLedgerReader(sqlitePath)].map(linesOf),
      )
      expect(second).toEqual(first)
      expect(third).toEqual(first)
    }),
    { numRuns: 25 },
  )
})

async function linesOf(reader: LedgerReader): Promise<string[]> {
  const lines = []
  for await (const { json } of select(reader)) lines.push(json)
  await reader.close()
  return lines
}
