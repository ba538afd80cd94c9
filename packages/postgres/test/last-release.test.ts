// Tests ledgers and approval stores that this release and the last one write together: a fleet is upgraded process by
// process. Without a stop, no call is lost, and each release verifies what the other wrote. With a stop, the last
// release writes nothing.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { ApprovalStore } from '@sudoagent/core'
import { SqliteApprovalStore } from '@sudoagent/core/sqlite'
import { openLedgerReader, openLedgerWriter, verify } from '@sudoagent/ledger'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { questionOf, requestOf } from '../../core/test/fixtures/approval.js'
import { PostgresApprovalStore } from '../src/approval/store.js'
import { PostgresLedger } from '../src/ledger/ledger.js'
import { openPostgresLedger } from '../src/ledger/reader.js'
import {
  cli,
  hasLastRelease,
  lastRelease,
  makeCalls,
  startEngine,
  startWriter,
  thisRelease,
  type WriterProcess,
} from './fixtures/last-release.js'
import { ledgerUrl, newDatabase } from './server/shared.js'

const NOTE = { reason: 'incident', by: 'alice' }
const CALLS = 40

let folder: string
let last: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sudoagent-last-'))
  if (hasLastRelease) last = lastRelease()
}, 600_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const openWriter = (place: string) =>
  place.startsWith('postgres') ? PostgresLedger.open(place) : openLedgerWriter(place)

async function report(place: string) {
  const reader = place.startsWith('postgres') ? await openPostgresLedger(place) : await openLedgerReader(place)
  try {
    return await verify(reader)
  } finally {
    await reader.close()
  }
}

const PLACES: readonly (readonly [kind: string, makePlace: () => Promise<string>])[] = [
  ['SQLite', async () => join(mkdtempSync(join(folder, 'l-')), 'ledger.sqlite')],
  ['PostgreSQL', async () => ledgerUrl(await newDatabase())],
]

describe.skipIf(!hasLastRelease).each(PLACES)('a fleet on one %s ledger', (_, makePlace) => {
  it.each(['last', 'this'] as const)('that the %s release began loses no call', async (first) => {
    const place = await makePlace()
    const begins = await startWriter(first === 'last' ? last : thisRelease, place)
    expect(await begins.append(0)).toBe('2')
    const others = [await startWriter(thisRelease, place), await startWriter(last, place)]
    const writers = [begins, ...others]
    const answers = await Promise.all(
      writers.map(async (writer, w) => {
        const positions: number[] = []
        for (let n = 1; n <= CALLS; n += 1) positions.push(Number(await writer.append(w * 1_000 + n)))
        return positions
      }),
    )
    await Promise.all(writers.map((writer) => writer.close()))
    expect(answers.flat().every(Number.isSafeInteger)).toBe(true)
    expect(new Set(answers.flat()).size).toBe(3 * CALLS)
    expect(await report(place)).toMatchObject({ ok: true, decisions: 3 * CALLS + 1, tail: 0 })
    if (!place.startsWith('postgres')) expect(cli(last, 'verify', place).code).toBe(0)
  })

  it('asks questions in this release and approvals in the last, and loses no call', async () => {
    const place = await makePlace()
    const ran = join(mkdtempSync(join(folder, 'ran-')), 'ran')
    const engines: WriterProcess[] = []
    for (const release of [last, thisRelease, last, thisRelease]) engines.push(await startEngine(release, place, ran))
    const answers = await Promise.all(
      engines.map(async (engine, e) => {
        const results: string[] = []
        for (let n = 1; n <= CALLS / 2; n += 1) results.push(await engine.append(e * 1_000 + n))
        return results
      }),
    )
    await Promise.all(engines.map((engine) => engine.close()))
    expect(new Set(answers.flat())).toEqual(new Set(['ran ran']))
    const calls = 4 * CALLS
    const ids = readFileSync(ran, 'utf8').split('\n').slice(0, -1)
    expect([ids.length, new Set(ids).size]).toEqual([calls, calls])
    expect(await report(place)).toMatchObject({
      ok: true,
      entries: 1 + 2 * calls + calls / 2,
      decisions: calls,
      outcomes: calls,
      questions: { open: 0, expired: 0 },
      findings: [],
      tail: 0,
    })
    if (!place.startsWith('postgres')) expect(cli(last, 'verify', place).code).toBe(0)
  })

  it('is stopped for the last release, too: it writes nothing, and still verifies', async () => {
    const place = await makePlace()
    const [old, own] = [await startWriter(last, place), await startWriter(thisRelease, place)]
    expect(await old.append(1)).toBe('2')
    expect(await own.append(2)).toBe('3')
    const operator = await openWriter(place)
    const { stopId } = await operator.stop({ all: true }, NOTE)
    expect(await old.append(3)).toBe('LEDGER_DAMAGED')
    expect(await own.append(4)).toBe('STOPPED')
    await expect(startWriter(last, place)).rejects.toMatchObject({ code: 'LEDGER_DAMAGED' })
    expect(await report(place)).toMatchObject({ ok: true, entries: 4, stops: [{ in_flight: 2 }] })
    await operator.resume(stopId, NOTE)
    // The fence stays: the last release does not know whether another stop follows.
    await expect(startWriter(last, place)).rejects.toMatchObject({ code: 'LEDGER_DAMAGED' })
    expect(await own.append(5)).toBe('6')
    await Promise.all([operator.close(), old.close(), own.close()])
    expect(await report(place)).toMatchObject({ ok: true, entries: 6 })
    if (!place.startsWith('postgres')) expect(cli(last, 'verify', place).code).toBe(0)
  })
})

describe.skipIf(!hasLastRelease)('a JSONL ledger', () => {
  it('has no fence: `verify` finds what the last release allowed behind a stop', async () => {
    const place = join(folder, 'ledger.jsonl')
    const own = await openLedgerWriter(place)
    await own.stop({ all: true }, NOTE)
    await own.close()
    const old = await startWriter(last, place)
    expect(await old.append(1)).toBe('3')
    await old.close()
    expect((await report(place)).findings.map(({ code, position }) => `${position} ${code}`)).toEqual([
      '3 ALLOWED_WHILE_STOPPED',
    ])
  })
})

describe.skipIf(!hasLastRelease)('a ledger without questions', () => {
  /** The text of each entry without its place in the chain and its signature. */
  const contents = (release: string): readonly string[] => {
    const place = join(mkdtempSync(join(folder, 'l-')), 'ledger.jsonl')
    makeCalls(release, place)
    const [, ...lines] = readFileSync(place, 'utf8').split('\n').slice(0, -1)
    return lines.map((line) => line.replace(/"(?:prev_)?entry_hash":"[0-9a-f]{64}",|"entry_signature":"[^"]*",/g, ''))
  }

  it('gets approvals in the form of the last release', () => {
    const own = contents(thisRelease)
    expect(own).toEqual(contents(last))
    expect(own.filter((line) => line.includes('"approval":{"approval_id"'))).toHaveLength(2)
    expect(own).toHaveLength(10)
  })
})

describe.skipIf(!hasLastRelease)('an approval store with questions', () => {
  const ask = async (store: ApprovalStore): Promise<void> => {
    const now = new Date()
    await store.create(requestOf('r-one', {}, 600_000, now), now)
    await store.create(questionOf('q-one', {}, 600_000, now), now)
  }
  const states = async (store: ApprovalStore): Promise<readonly string[]> =>
    (await store.list({}, new Date())).map(({ approvalId, state }) => `${approvalId} ${state}`).sort()

  it('in a SQLite file is open to the last release, which answers the requests that it knows', async () => {
    const place = join(folder, 'approvals.sqlite')
    const store = SqliteApprovalStore.open(place)
    await ask(store)
    const listed = cli(last, 'approvals', 'list', place)
    expect(listed).toMatchObject({ code: 0, text: expect.stringContaining('r-one') })
    expect(listed.text).not.toContain('q-one')
    expect(cli(last, 'approvals', 'approve', place, 'r-one', '--approver', 'alice', '--yes').code).toBe(0)
    expect(cli(last, 'approvals', 'approve', place, 'q-one', '--approver', 'alice', '--yes').code).toBe(1)
    expect(await states(store)).toEqual(['q-one pending', 'r-one approved'])
    await store.close()
  })

  it('in a database, too', async () => {
    const place = await newDatabase()
    const store = await PostgresApprovalStore.open(place)
    await ask(store)
    const { PostgresApprovalStore: LastStore } = (await import(
      pathToFileURL(join(last, 'packages/postgres/dist/index.js')).href
    )) as { readonly PostgresApprovalStore: typeof PostgresApprovalStore }
    const old = await LastStore.open(place)
    expect((await old.list({}, new Date())).map(({ approvalId }) => approvalId)).toEqual(['r-one'])
    await old.resolve('r-one', { state: 'denied', approverId: 'alice' }, new Date())
    await expect(old.resolve('q-one', { state: 'approved' }, new Date())).rejects.toMatchObject({
      code: 'APPROVAL_NOT_FOUND',
    })
    expect(await states(store)).toEqual(['q-one pending', 'r-one denied'])
    await Promise.all([old.close(), store.close()])
  })
})
