// Tests that verify streams the ledger: its memory grows only with the state of each call. The slow tier checks the
// documented limit: less than 300 MiB for a million entries.
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { byTier, TIER } from '../../../../test/tier.js'
import { runScript } from '../fixtures/process/child.js'
import { temporaryFolder } from '../fixtures/temporary.js'

const slow = TIER === 'slow'
const ENTRIES = byTier({ short: 25_000, long: 50_000, slow: 1_000_000 })
const HEAP = slow ? [] : ['--max-old-space-size=96']

/** Memory of two worker threads, in MiB. Their heaps do not grow with the ledger. */
const HELPERS_MIB = 60

const KINDS = [
  ['sqlite', 'allow'],
  ['jsonl', 'deny'],
  ...(slow ? [['sqlite', 'deny'] as const, ['jsonl', 'allow'] as const] : []),
] as const

it.each(KINDS)(
  `verifies ${ENTRIES} entries in little memory: %s, all %s`,
  { timeout: 1_800_000 },
  async (kind, effect) => {
    const path = join(temporaryFolder(), 'ledger')
    await runScript('large-ledger.mjs', [kind, path, `${ENTRIES}`, effect])
    const [measured] = (await runScript('verify-memory.mjs', [path], { nodeOptions: HEAP })) as {
      before: number
      after: number
    }[]
    console.info(`${kind}, ${effect}: ${JSON.stringify(measured)}`)
    expect(measured).toMatchObject({ ok: true, entries: ENTRIES + 1 })
    if (slow) expect(measured?.after).toBeLessThan(300)
    else expect((measured?.after ?? 0) - (measured?.before ?? 0)).toBeLessThan(110 + HELPERS_MIB)
  },
)
