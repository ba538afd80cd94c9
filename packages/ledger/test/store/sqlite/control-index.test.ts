// Tests what keeps a stop in force in a SQLite file: the fence in the head, the control index, and the entries, which
// have the last word.
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it, test } from 'vitest'
import { openFileSink } from '../../../src/store/copy-target.js'
import { openLedgerReader, openLedgerWriter } from '../../../src/store/open.js'
import { SqliteLedger } from '../../../src/store/sqlite/ledger.js'
import { copyLedger } from '../../../src/write/copy-ledger.js'
import { linesIn, OWNER } from '../../fixtures/attack.js'
import { decisionDraft } from '../../fixtures/draft.js'
import { verifyFile } from '../../fixtures/ledger-file.js'
import { refusalOf } from '../../fixtures/refusal.js'
import { type Entry, entriesOf, sealEntry } from '../../fixtures/seal.js'
import { temporaryFolder } from '../../fixtures/temporary.js'
import { NOTE } from '../contract-stops.js'

const newPath = (name = 'ledger.sqlite'): string => join(temporaryFolder(), name)

function sql<T>(path: string, work: (db: Database.Database) => T): T {
  const db = new Database(path)
  try {
    return work(db)
  } finally {
    db.close()
  }
}
const controlsIn = (path: string): unknown =>
  JSON.parse(sql(path, (db) => db.prepare('SELECT controls FROM sudoagent_head').pluck().get()) as string)
const rowsIn = (path: string): unknown[] =>
  sql(path, (db) => db.prepare('SELECT position, kind, ends FROM sudoagent_control ORDER BY position').all())

/** A ledger with a stop that was ended (3, 4), and one of support-bot that is open (5). */
async function stopped(options: { signer?: typeof OWNER } = { signer: OWNER }): Promise<string> {
  const path = newPath()
  const ledger = SqliteLedger.open(path, options)
  await ledger.append(decisionDraft(1))
  const { stopId } = await ledger.stop({ all: true }, NOTE)
  await ledger.resume(stopId, NOTE)
  await ledger.stop({ agent: 'support-*' }, NOTE)
  await ledger.close()
  return path
}

const ROWS = [
  { position: 3, kind: 'stop', ends: null },
  { position: 4, kind: 'resume', ends: 3 },
  { position: 5, kind: 'stop', ends: null },
]

/** Whether a newly opened writer refuses a call of support-bot, and takes one of another agent. */
async function isStopped(path: string, signer: typeof OWNER | undefined = OWNER): Promise<void> {
  const ledger = await openLedgerWriter(path, signer === undefined ? {} : { signer })
  expect(await refusalOf(() => ledger.append(decisionDraft(50)))).toBe('STOPPED')
  await ledger.append(decisionDraft(51, { more: { agent_id: 'another' } }))
  await ledger.close()
}

describe('the head', () => {
  it('has the form of every release until the first stop, and then one that earlier releases refuse', async () => {
    const path = newPath()
    const ledger = SqliteLedger.open(path, { signer: OWNER })
    await ledger.append(decisionDraft(1))
    expect(controlsIn(path)).toEqual([1])
    const { stopId } = await ledger.stop({ all: true }, NOTE)
    expect(controlsIn(path)).toEqual({ needs: ['stop'], positions: [1], rows: 1 })
    await ledger.resume(stopId, NOTE)
    await ledger.append(decisionDraft(2))
    await ledger.close()
    expect(controlsIn(path)).toEqual({ needs: ['stop'], positions: [1], rows: 2 })
    expect(rowsIn(path)).toEqual(ROWS.slice(0, 2))
  })

  it('that names a kind of a later release is refused, by a new writer and by one that is open', async () => {
    const path = await stopped()
    const open = SqliteLedger.open(path, { signer: OWNER })
    sql(path, (db) =>
      db.exec(
        `UPDATE sudoagent_head SET controls = '{"needs":["stop","grant"],"positions":[1],"rows":3}', size = size`,
      ),
    )
    expect(await refusalOf(async () => SqliteLedger.open(path, { signer: OWNER }))).toBe('LEDGER_NEWER')
    await open.close()
    expect((await verifyFile(path)).ok).toBe(true)
  })

  test.each([
    '{"needs":[],"positions":[1],"rows":3}',
    '{"needs":["stop"],"positions":[1]}',
    '{"needs":["stop"],"positions":[1],"rows":"3"}',
    '{"needs":"stop","positions":[1],"rows":3}',
    '{"needs":["stop"],"positions":[1,1],"rows":3}',
    '{"positions":[1],"needs":["stop"],"rows":3}',
    '{"needs":["stop"],"positions":[1],"rows":3,"more":1}',
    '[1]',
    '[1,5]',
    'null',
    '3',
    '{',
  ])('%s is damage', async (controls) => {
    const path = await stopped()
    // A list states that there are no stops. The index says otherwise, so the entries are asked.
    sql(path, (db) => db.prepare('UPDATE sudoagent_head SET controls = ?').run(controls))
    expect(await refusalOf(async () => SqliteLedger.open(path, { signer: OWNER }))).toBe('LEDGER_DAMAGED')
  })
})

describe('the control index', () => {
  test.each<[string, string]>([
    ['without its rows', 'DELETE FROM sudoagent_control'],
    ['without the row of the open stop', 'DELETE FROM sudoagent_control WHERE position = 5'],
    ['without the row of the resume', 'DELETE FROM sudoagent_control WHERE position = 4'],
    ['with a row that no entry made', "INSERT INTO sudoagent_control VALUES (2, 'stop', NULL)"],
    ['with a row behind the end', "INSERT INTO sudoagent_control VALUES (99, 'resume', 5)"],
    ['with another row in place of the stop', 'UPDATE sudoagent_control SET position = 2 WHERE position = 5'],
    ['with another kind', "UPDATE sudoagent_control SET kind = 'resume', ends = 5 WHERE position = 5"],
    ['whose resume ends another stop', 'UPDATE sudoagent_control SET ends = 5 WHERE position = 4'],
    ['without its table', 'DROP TABLE sudoagent_control'],
  ])('%s is made anew from the entries', async (_, change) => {
    const path = await stopped()
    sql(path, (db) => db.exec(change))
    await isStopped(path)
    expect(rowsIn(path)).toEqual(ROWS)
    expect((await verifyFile(path)).ok).toBe(true)
  })

  it('is made anew together with a lost head', async () => {
    const path = await stopped({})
    sql(path, (db) => db.exec('DELETE FROM sudoagent_head'))
    await isStopped(path, undefined)
    expect(controlsIn(path)).toEqual({ needs: ['stop'], positions: [], rows: 3 })
    expect(rowsIn(path)).toEqual(ROWS)
    await isStopped(path, undefined)
  })

  it('is written for entries that the head does not cover', async () => {
    const path = await stopped({})
    const before = sql(path, (db) => db.prepare('SELECT * FROM sudoagent_head').get()) as Record<string, unknown>
    const ledger = SqliteLedger.open(path)
    await ledger.stop({ tenant: 't' }, NOTE)
    await ledger.close()
    // As if the process had died before it wrote the head and the index.
    sql(path, (db) => {
      db.exec('DELETE FROM sudoagent_control WHERE position = 6')
      const { size, entry_hash, frontier, controls, checkpoint } = before
      db.prepare('UPDATE sudoagent_head SET size = ?, entry_hash = ?, frontier = ?, controls = ?, checkpoint = ?').run(
        size,
        entry_hash,
        frontier,
        controls,
        checkpoint,
      )
    })
    const again = SqliteLedger.open(path)
    const call = decisionDraft(60, { more: { agent_id: 'another', authority: { tenant: 't' } } })
    expect(await refusalOf(() => again.append(call))).toBe('STOPPED')
    await again.close()
    expect(rowsIn(path)).toEqual([...ROWS, { position: 6, kind: 'stop', ends: null }])
  })

  it('an allow behind the head that a stop covers is damage: nothing more is written', async () => {
    const path = await stopped({})
    const last = entriesOf(await linesIn(path)).at(-1) as Entry
    const { schema_version, ledger_version, entry_hash, recorded_at } = last
    const draft = { ...decisionDraft(70), schema_version, ledger_version, recorded_at }
    const { line, entryHash } = sealEntry(draft, entry_hash as never, null)
    sql(path, (db) =>
      db
        .prepare('INSERT INTO ledger (entry_json, entry_hash, prev_entry_hash) VALUES (?, ?, ?)')
        .run(line, entryHash, entry_hash),
    )
    expect(await refusalOf(async () => SqliteLedger.open(path))).toBe('LEDGER_DAMAGED')
    expect((await verifyFile(path)).findings.map(({ code }) => code)).toEqual(['ALLOWED_WHILE_STOPPED'])
  })
})

describe('a copy of a stopped ledger', () => {
  test.each([
    ['sqlite', 'jsonl'],
    ['jsonl', 'sqlite'],
    ['sqlite', 'sqlite'],
  ] as const)('from %s by way of %s is stopped', async (_, kind) => {
    const path = await stopped()
    const copy = newPath(`copy.${kind}`)
    for (const [from, to] of [
      [path, copy],
      [copy, newPath('second.sqlite')],
    ] as const) {
      const [reader, sink] = [await openLedgerReader(from), openFileSink(to, to.endsWith('jsonl') ? 'jsonl' : 'sqlite')]
      await copyLedger(reader, sink)
      await Promise.all([reader.close(), sink.close()])
      if (to.endsWith('sqlite')) {
        expect(controlsIn(to)).toEqual({ needs: ['stop'], positions: [1], rows: 3 })
        expect(rowsIn(to)).toEqual(ROWS)
      }
      // The first copy is the source of the second, so only the last one is written to.
      if (to !== copy) await isStopped(to)
    }
    await isStopped(copy)
  })
})
