// Tests the `approvals` commands on questions in a PostgreSQL database, with their ledger in the same database.
import { readFileSync } from 'node:fs'
import type { EntryDraft } from '@sudoagent/ledger'
import { PostgresApprovalStore, PostgresLedger } from '@sudoagent/postgres'
import { beforeEach, expect, it } from 'vitest'
import { asSuperuser } from '../../../../../packages/postgres/test/server/cluster.js'
import { ledgerUrl, newDatabase } from '../../../../../packages/postgres/test/server/shared.js'
import { askWith } from '../../support/approval-store.js'
import { decisionDraft, requestIdOf } from '../../support/draft.js'
import { type Sandbox, sandbox } from '../../support/sandbox.js'

const ID = requestIdOf(3)
const YES = ['--approver', 'alice', '--yes'] as const

let box: Sandbox
let database: string
let ledger: string
/** Makes the denial that ends the question. */
let denial: (reasonCode: string) => EntryDraft
beforeEach(async () => {
  box = sandbox()
  database = await newDatabase()
  ledger = ledgerUrl(database, 'payments')
  const writer = await PostgresLedger.open(ledger)
  await writer.append(decisionDraft({ n: 1 }))
  const store = await PostgresApprovalStore.open(database)
  denial = await askWith(writer, store, ID)
  await store.close()
  await writer.close()
})

it('lists, shows and denies, and writes the receipt of the decision', async () => {
  expect(box.run(['approvals', 'list', database]).stdout).toMatch(/^ACTION .*\nrefund .* pending /)
  expect(box.run(['approvals', 'show', database, ID]).stdout).toContain('rule      refunds')
  const writer = await PostgresLedger.open(ledger)
  await writer.append(denial('APPROVAL_DENIED'))
  await writer.close()
  const args = ['approvals', 'deny', database, ID, ...YES, '--ledger', ledger, '--receipt', 'receipt.json']
  expect(box.run(args)).toMatchObject({
    code: 0,
    stdout: 'denied: refund for support-bot, by alice\nrecorded as entry 4\n',
  })
  const same = box.run(['receipt', ledger, '--request-id', ID])
  expect(readFileSync(box.path('receipt.json'), 'utf8')).toBe(same.stdout)
})

it('does not answer a question that another program changed', async () => {
  await asSuperuser(database, `UPDATE sudoagent.question SET authority_json = '{"tenant":"other"}'`)
  for (const command of ['show', 'approve'])
    expect(box.run(['approvals', command, database, ID, ...(command === 'show' ? [] : YES)])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('nothing changed'),
    })
  const list = box.run(['approvals', 'list', database])
  expect(list).toMatchObject({ code: 0, stdout: '', stderr: expect.stringContaining(`\`${ID}\` is not listed`) })
})
