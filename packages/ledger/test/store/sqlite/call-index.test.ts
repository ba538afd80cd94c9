import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, it } from 'vitest'
import type { EntryDraft } from '../../../src/entry/entry.js'
import { openLedgerReader } from '../../../src/store/open.js'
import { SqliteLedger } from '../../../src/store/sqlite/ledger.js'
import { decisionDraft, momentAt, outcomeDraft, requestIdOf } from '../../fixtures/draft.js'
import { temporaryFolder } from '../../fixtures/temporary.js'

/** Creates a ledger with a genesis entry and `calls` calls of two entries each. `idOf` returns the request IDs. */
async function ledgerOf(calls: number, idOf: (n: number) => string = requestIdOf): Promise<string> {
  const path = join(temporaryFolder(), 'ledger.sqlite')
  const ledger = SqliteLedger.open(path)
  const drafts: EntryDraft[] = []
  for (let n = 1; n <= calls; n += 1) {
    const decision = decisionDraft(n, { requestId: idOf(n) })
    drafts.push(decision, outcomeDraft(decision))
  }
  await Promise.all(drafts.map((draft) => ledger.append(draft)))
  await ledger.close()
  return path
}

async function positions(path: string, requestId: string): Promise<readonly number[] | null> {
  const reader = await openLedgerReader(path)
  try {
    const lines = await reader.linesOfCall(requestId)
    if (lines === null) return null
    // The index may return other entries too, so the test compares the request ID in each entry.
    const isAsked = (bytes: Uint8Array) => JSON.parse(Buffer.from(bytes).toString()).request_id === requestId
    return lines.filter(({ bytes }) => isAsked(bytes)).map(({ position }) => position)
  } finally {
    await reader.close()
  }
}

it('finds both entries of a call, in full tiles and in the one that grows', async () => {
  const path = await ledgerOf(300)
  for (const n of [1, 127, 128, 129, 255, 256, 300])
    expect(await positions(path, requestIdOf(n))).toEqual([2 * n, 2 * n + 1])
  expect(await positions(path, requestIdOf(301))).toEqual([])
})

it('reads no other call of the tile that grows', async () => {
  const reader = await openLedgerReader(await ledgerOf(100))
  // The index also returns the genesis entry, because the end of that line does not show whether the entry has a
  // request ID.
  expect((await reader.linesOfCall(requestIdOf(70)))?.map(({ position }) => position)).toEqual([1, 140, 141])
  await reader.close()
})

it('finds ids of any form: with quotes, beyond ASCII, long', async () => {
  const ids = ['a"b\\c', '\u00e9\u4e16', 'x'.repeat(128)]
  const path = await ledgerOf(130, (n) => ids[n] ?? requestIdOf(n))
  for (const [n, id] of ids.entries()) if (n > 0) expect(await positions(path, id)).toEqual([2 * n, 2 * n + 1])
})

it('says that it does not know when the table has a gap or is emptied', async () => {
  const path = await ledgerOf(300)
  for (const spoil of ['DELETE FROM sudoagent_calls WHERE tile = 0', 'DELETE FROM sudoagent_calls']) {
    const db = new Database(path)
    db.exec(spoil)
    db.close()
    expect(await positions(path, requestIdOf(7))).toBeNull()
  }
})

it('leaves the ledger free for other writers when the entries of a call cannot be read', async () => {
  const path = await ledgerOf(300)
  const db = new Database(path)
  db.exec('DELETE FROM sudoagent_calls WHERE tile = 0')
  db.close()
  const ledger = SqliteLedger.open(path)
  const report = { status: 'error', error_type: 'Lost', error: null, createdAt: momentAt(0) } as const
  await expect(ledger.recordOutcome(requestIdOf(7), report)).rejects.toMatchObject({ code: 'LEDGER_DAMAGED' })
  const other = new Database(path, { timeout: 0 })
  other.exec('BEGIN IMMEDIATE; ROLLBACK')
  other.close()
  await ledger.close()
})
