// Tests that a ledger has exactly one genesis entry, even if eight processes begin the ledger at the same time.
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openLedgerReader } from '../../src/store/open.js'
import { SqliteLedger } from '../../src/store/sqlite/ledger.js'
import { verify } from '../../src/verify/verify.js'
import { runScript } from '../fixtures/process/child.js'
import { temporaryFolder } from '../fixtures/temporary.js'

const WRITERS = 8

async function expectOneGenesis(path: string): Promise<void> {
  const reader = await openLedgerReader(path)
  expect(await verify(reader)).toMatchObject({ ok: true, verdict: 'intact', entries: 1, findings: [] })
  await reader.close()
}

it('eight processes at once: one genesis', async () => {
  const path = join(temporaryFolder(), 'ledger.sqlite')
  const moment = String(Date.now() + 1_500)
  const said = await Promise.all(Array.from({ length: WRITERS }, () => runScript('begin.mjs', [path, moment])))
  expect(said).toEqual(Array.from({ length: WRITERS }, () => ['begun']))
  await expectOneGenesis(path)
})

it('eight writers of one process at once: one genesis', async () => {
  const path = join(temporaryFolder(), 'ledger.sqlite')
  const ledgers = Array.from({ length: WRITERS }, () => SqliteLedger.open(path))
  await Promise.all(ledgers.map((ledger) => ledger.begin()))
  await Promise.all(ledgers.map((ledger) => ledger.close()))
  await expectOneGenesis(path)
})
