// Tests how many lines verify parses in full. In a ledger that this package wrote, these are only the lines of control
// entries.
import { join } from 'node:path'
import { createSigner } from '@sudoagent/crypto'
import { describe, expect, it } from 'vitest'
import { JsonlLedger } from '../../src/store/jsonl/ledger.js'
import { openLedgerReader } from '../../src/store/open.js'
import { SqliteLedger } from '../../src/store/sqlite/ledger.js'
import { verify } from '../../src/verify/verify.js'
import { decisionDraft, outcomeDraft, testKey, testSigner, tickingClock } from '../fixtures/draft.js'
import { verifyFile } from '../fixtures/ledger-file.js'
import { inRanges, OWN_THREAD } from '../fixtures/ranges.js'
import { RICH_DRAFTS } from '../fixtures/rich-drafts.js'
import { temporaryFolder } from '../fixtures/temporary.js'

const OPEN = { jsonl: JsonlLedger.open, sqlite: SqliteLedger.open } as const
const publicKeys = [testKey(1).publicKey]

describe.each(['jsonl', 'sqlite'] as const)('%s', (kind) => {
  it.each([true, false])(
    'control entries alone are read in full, whatever the calls hold (signed: %s)',
    async (isSigned) => {
      const path = join(temporaryFolder(), `ledger.${kind}`)
      const ledger = OPEN[kind](path, { clock: tickingClock(), ...(isSigned ? { signer: testSigner(1) } : {}) })
      for (const draft of RICH_DRAFTS) await ledger.append(draft)
      if (isSigned) await ledger.addKey(createSigner(testKey(2)))
      const last = decisionDraft(99)
      await ledger.append(last)
      await ledger.append(outcomeDraft(last))
      await ledger.seal()
      await ledger.close()
      const control = isSigned ? 3 : 2
      const expected = { ok: true, entries: RICH_DRAFTS.length + 2 + control, read_in_full: control }
      expect(await verifyFile(path, isSigned ? { publicKeys } : {})).toMatchObject(expected)
      const reader = await openLedgerReader(path)
      const short = await verify(inRanges(reader, kind === 'jsonl' ? 4_000 : 3), {
        ...OWN_THREAD,
        ...(isSigned ? { publicKeys } : {}),
      })
      await reader.close()
      expect(short).toMatchObject(expected)
    },
  )
})
