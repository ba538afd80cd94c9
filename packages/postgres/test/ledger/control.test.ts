// Tests what keeps a stop in force in PostgreSQL: the fence in the head, the control index, and the entries, which have
// the last word. The contract of all stores is in `ledger.test.ts`.
import { verify } from '@sudoagent/ledger'
import { copyLedger } from '@sudoagent/ledger/copy'
import { MemoryLedger } from '@sudoagent/ledger/memory'
import { beforeAll, describe, expect, it, test } from 'vitest'
import { approvalOf, decisionDraft, EPOCH_MS, testSigner } from '../../../ledger/test/fixtures/draft.js'
import { answerTo, askable } from '../../../ledger/test/fixtures/question.js'
import { refusalOf } from '../../../ledger/test/fixtures/refusal.js'
import { NOTE } from '../../../ledger/test/store/contract-stops.js'
import { PostgresLedger } from '../../src/ledger/ledger.js'
import { openPostgresLedger } from '../../src/ledger/reader.js'
import { openPostgresSink } from '../../src/ledger/sink.js'
import { applySchema } from '../../src/schema-apply.js'
import { asSuperuser } from '../server/cluster.js'
import { ledgerUrl, newDatabase } from '../server/shared.js'

const SIGNER = { signer: testSigner(1) }
const ROWS = [
  { position: '3', kind: 'stop', ends: null },
  { position: '4', kind: 'resume', ends: '3' },
  { position: '5', kind: 'stop', ends: null },
]

let database: string
beforeAll(async () => {
  database = await newDatabase()
})

const nameOf = (url: string): string => new URL(url).searchParams.get('ledger') ?? ''
const controlsIn = async (url: string): Promise<unknown> => {
  const [row] = await asSuperuser<{ controls: string }>(
    database,
    'SELECT controls FROM sudoagent.head WHERE ledger = (SELECT id FROM sudoagent.ledger WHERE name = $1)',
    [nameOf(url)],
  )
  return JSON.parse(row?.controls ?? 'null')
}
const rowsIn = (url: string): Promise<unknown[]> =>
  asSuperuser(
    database,
    'SELECT position, kind, ends FROM sudoagent.control WHERE ledger = (SELECT id FROM sudoagent.ledger WHERE name = $1) ORDER BY position',
    [nameOf(url)],
  )

/** A ledger with a stop that was ended (3, 4), and one of support-bot that is open (5). */
async function stopped(url: string): Promise<string> {
  const ledger = await PostgresLedger.open(url, SIGNER)
  await ledger.append(decisionDraft(1))
  const { stopId } = await ledger.stop({ all: true }, NOTE)
  await ledger.resume(stopId, NOTE)
  await ledger.stop({ agent: 'support-*' }, NOTE)
  await ledger.close()
  return url
}

async function isStopped(url: string): Promise<void> {
  const ledger = await PostgresLedger.open(url, SIGNER)
  expect(await refusalOf(() => ledger.append(decisionDraft(50)))).toBe('STOPPED')
  await ledger.append(decisionDraft(51, { more: { agent_id: 'another' } }))
  await ledger.close()
}

async function isSound(url: string): Promise<boolean> {
  const reader = await openPostgresLedger(url)
  const { ok } = await verify(reader)
  await reader.close()
  return ok
}

/** Changes rows that triggers protect, as the owner of the tables can. */
const force = (text: string, url: string): Promise<unknown> =>
  asSuperuser(
    database,
    `SET session_replication_role = replica; ${text.replaceAll('$id', `(SELECT id FROM sudoagent.ledger WHERE name = '${nameOf(url)}')`)}`,
  )

describe('the head', () => {
  it('has the form of every release until the first stop, and then one that earlier releases refuse', async () => {
    const url = ledgerUrl(database)
    const ledger = await PostgresLedger.open(url, SIGNER)
    await ledger.append(decisionDraft(1))
    expect(await controlsIn(url)).toEqual([1])
    await ledger.stop({ all: true }, NOTE)
    expect(await controlsIn(url)).toEqual({ needs: ['stop'], positions: [1], rows: 1 })
    await ledger.append(decisionDraft(2, { effect: 'deny' }))
    await ledger.close()
    expect(await controlsIn(url)).toEqual({ needs: ['stop'], positions: [1], rows: 1 })
  })

  it('that names a kind of a later release is refused', async () => {
    const url = await stopped(ledgerUrl(database))
    await force(
      `UPDATE sudoagent.head SET controls = '{"needs":["grant"],"positions":[1],"rows":3}' WHERE ledger = $id`,
      url,
    )
    expect(await refusalOf(() => PostgresLedger.open(url, SIGNER))).toBe('LEDGER_NEWER')
    expect(await isSound(url)).toBe(true)
  })
})

describe('the control index', () => {
  test.each<[string, string]>([
    ['without its rows', 'DELETE FROM sudoagent.control WHERE ledger = $id'],
    ['without the row of the open stop', 'DELETE FROM sudoagent.control WHERE ledger = $id AND position = 5'],
    ['without the row of the resume', 'DELETE FROM sudoagent.control WHERE ledger = $id AND position = 4'],
  ])('%s is made anew from the entries', async (_, change) => {
    const url = await stopped(ledgerUrl(database))
    await force(change, url)
    await isStopped(url)
    expect(await rowsIn(url)).toEqual(ROWS)
    expect(await isSound(url)).toBe(true)
  })

  test.each<[string, string]>([
    ['with a row that no entry made', "INSERT INTO sudoagent.control VALUES ($id, 2, 'stop', NULL)"],
    ['whose resume ends another stop', 'UPDATE sudoagent.control SET ends = 5 WHERE ledger = $id AND position = 4'],
  ])('%s does not matter: the entries have the last word', async (_, change) => {
    const url = await stopped(ledgerUrl(database))
    await force(change, url)
    await isStopped(url)
    expect(await isSound(url)).toBe(true)
  })

  it.each(["UPDATE sudoagent.control SET kind = 'x'", 'DELETE FROM sudoagent.control', 'TRUNCATE sudoagent.control'])(
    'does not change for its owner: %s',
    async (text) => {
      await stopped(ledgerUrl(database))
      await expect(asSuperuser(database, text)).rejects.toMatchObject({ code: '23001' })
    },
  )

  it('is part of a copy', async () => {
    const memory = new MemoryLedger(SIGNER)
    await memory.append(decisionDraft(1))
    const { stopId } = await memory.stop({ all: true }, NOTE)
    await memory.resume(stopId, NOTE)
    await memory.stop({ agent: 'support-*' }, NOTE)
    const url = ledgerUrl(database)
    const sink = await openPostgresSink(url)
    await copyLedger(memory.reader(), sink)
    await sink.close()
    expect(await controlsIn(url)).toEqual({ needs: ['stop'], positions: [1], rows: 3 })
    expect(await rowsIn(url)).toEqual(ROWS)
    await isStopped(url)
  })
})

it('a database without the table of questions takes calls and approvals as before, until `postgres init` adds it', async () => {
  const old = await newDatabase()
  await asSuperuser(old, 'DROP TABLE sudoagent.open_question')
  const url = ledgerUrl(old)
  const ledger = await PostgresLedger.open(url, { ...SIGNER, clock: () => new Date(EPOCH_MS) })
  const [first, second] = [askable(1), askable(2)]
  await ledger.append({ ...first.decision, approval: approvalOf(first.decision) })
  await expect(ledger.ask(second.question)).rejects.toMatchObject({
    code: 'ENTRY_REFUSED',
    message: expect.stringContaining('no table `sudoagent.open_question`'),
    hint: expect.stringContaining('sudoagent postgres init'),
  })
  expect(await isSound(url)).toBe(true)
  await applySchema(old, { roles: false })
  await ledger.append(answerTo(second.decision, await ledger.ask(second.question)))
  await ledger.close()
  expect(await isSound(url)).toBe(true)
})

it('a database without the new table takes calls as before, and no stops, until `postgres init` adds it', async () => {
  const old = await newDatabase()
  await asSuperuser(old, 'DROP TABLE sudoagent.control')
  const url = ledgerUrl(old)
  const ledger = await PostgresLedger.open(url, SIGNER)
  await ledger.append(decisionDraft(1))
  await expect(ledger.stop({ all: true }, NOTE)).rejects.toMatchObject({
    code: 'ENTRY_REFUSED',
    message: expect.stringContaining('no table `sudoagent.control`'),
    hint: expect.stringContaining('sudoagent postgres init'),
  })
  await ledger.append(decisionDraft(2))
  expect(await isSound(url)).toBe(true)
  await applySchema(old, { roles: false })
  await ledger.stop({ all: true }, NOTE)
  expect(await refusalOf(() => ledger.append(decisionDraft(3)))).toBe('STOPPED')
  await ledger.close()
})
