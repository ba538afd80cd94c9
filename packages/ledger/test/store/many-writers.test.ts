// Tests several processes that append to one SQLite ledger at the same time. The result must be one chain with all
// entries of each process.
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { byTier } from '../../../../test/tier.js'
import { select } from '../../src/read/query.js'
import { openLedgerReader } from '../../src/store/open.js'
import { verifyFile } from '../fixtures/ledger-file.js'
import { runScript } from '../fixtures/process/child.js'
import { temporaryFolder } from '../fixtures/temporary.js'

const WRITERS = ['ann', 'bob', 'cyd', 'dan']
const EACH = byTier({ short: 1_000, long: 5_000 })
const IN_FLIGHT = 32
const TIMES = byTier({ short: 8, long: 25 })

it('four processes append to one ledger at once', { timeout: 240_000 }, async () => {
  const path = join(temporaryFolder(), 'ledger.sqlite')
  const start = performance.now()
  const answers = await Promise.all(
    WRITERS.map((name) => runScript('append.mjs', ['sqlite', path, name, `${EACH}`, `${IN_FLIGHT}`])),
  )
  console.info(
    `${WRITERS.length * EACH} appends by ${WRITERS.length} processes: ${Math.round(performance.now() - start)} ms`,
  )
  const positions = answers
    .flat()
    .map(Number)
    .sort((a, b) => a - b)
  expect(positions).toEqual(Array.from({ length: WRITERS.length * EACH }, (_, n) => n + 2))

  const report = await verifyFile(path)
  expect(report.findings).toEqual([])
  expect(report).toMatchObject({ ok: true, entries: 1 + WRITERS.length * EACH, decisions: WRITERS.length * EACH })

  const perWriter = new Map(WRITERS.map((name) => [name, new Set<string>()]))
  let turns = 0
  let previous = { agent: '', recordedAt: '' }
  const reader = await openLedgerReader(path)
  for await (const { entry } of select(reader, { event: 'decision' })) {
    const agent = entry.event === 'decision' ? entry.agent_id : ''
    const recordedAt = entry.recorded_at ?? ''
    expect(recordedAt >= previous.recordedAt).toBe(true)
    if (agent !== previous.agent) turns += 1
    perWriter.get(agent)?.add(String(entry.request_id))
    previous = { agent, recordedAt }
  }
  await reader.close()
  for (const name of WRITERS)
    expect(perWriter.get(name)).toEqual(new Set(Array.from({ length: EACH }, (_, n) => `${name}-${n + 1}`)))
  // The processes took turns, so the writer changed more often than if each process had written all its entries in one
  // run.
  expect(turns).toBeGreaterThan(WRITERS.length * 2)
})

it('processes that start at once make one new ledger between them', async () => {
  const path = join(temporaryFolder(), 'ledger.sqlite')
  const start = Date.now() + 1_000
  const moments = Array.from({ length: TIMES }, (_, n) => start + n * 60).join(',')
  const answers = await Promise.all(Array.from({ length: 4 }, () => runScript('open-at.mjs', [path, moments])))
  expect(answers.flat()).toEqual(new Array(4 * TIMES).fill(null))
})
