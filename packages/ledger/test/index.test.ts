import { describe, expect, it } from 'vitest'
import { decisionDraft } from './fixtures/draft.js'
import { jsonlOf, sqliteOf } from './fixtures/ledger-file.js'
import { runScript } from './fixtures/process/child.js'
import { writtenLines } from './fixtures/seal.js'

describe('the native SQLite module', () => {
  it('is loaded for a SQLite ledger, and only for that', async () => {
    const lines = await writtenLines([decisionDraft(1)])
    expect(await runScript('loaded.mjs', ['@sudoagent/ledger'])).toEqual([false])
    expect(await runScript('loaded.mjs', ['@sudoagent/ledger/memory'])).toEqual([false])
    expect(await runScript('loaded.mjs', ['@sudoagent/ledger', jsonlOf(lines)])).toEqual([false])
    expect(await runScript('loaded.mjs', ['@sudoagent/ledger', sqliteOf(lines)])).toEqual([true])
    expect(await runScript('loaded.mjs', ['@sudoagent/ledger/sqlite'])).toEqual([true])
  })
})
