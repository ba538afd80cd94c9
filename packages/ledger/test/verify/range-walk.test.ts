// Tests that for any ledger, verification by range gives the same report as verification line by line, finding for
// finding.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { byTier, sampled } from '../../../../test/tier.js'
import type { EntryDraft } from '../../src/entry/entry.js'
import type { LedgerReader } from '../../src/port/reader.js'
import { openLedgerReader } from '../../src/store/open.js'
import type { Report } from '../../src/verify/report.js'
import { encodeState, parseState, type VerifiedState } from '../../src/verify/saved-state.js'
import { type VerifyOptions, verify, verifyFrom } from '../../src/verify/verify.js'
import { oneByteChanged } from '../fixtures/arbitrary.js'
import { KINDS, ledgerOf, linesIn, replaceLines, withWriter, write } from '../fixtures/attack.js'
import { approvalOf, decisionDraft, outcomeDraft, testKey, testSigner } from '../fixtures/draft.js'
import { jsonlOf, sqliteOf } from '../fixtures/ledger-file.js'
import { PYPI_CASES } from '../fixtures/pypi-lines.js'
import { inRanges, OWN_THREAD, withoutRanges } from '../fixtures/ranges.js'
import { CALL_CASES } from '../fixtures/spoiled/calls.js'
import { isTorn, soundLines, spoiledFile } from '../fixtures/spoiled/ledgers.js'
import { LINE_CASES } from '../fixtures/spoiled/lines.js'

async function reportOf(
  path: string,
  options: VerifyOptions,
  view: (reader: LedgerReader) => LedgerReader,
): Promise<Report> {
  const reader = await openLedgerReader(path)
  try {
    return await verify(view(reader), { ...OWN_THREAD, ...options })
  } finally {
    await reader.close()
  }
}

/** Returns the report, after checking that ranges of several lengths give the same report. */
async function sameReport(path: string, options: VerifyOptions = {}): Promise<Report> {
  const report = await reportOf(path, options, withoutRanges)
  const steps = readFileSync(path).subarray(0, 6).toString() === 'SQLite' ? [1, 2, 5] : [300, 1_500, 4_000]
  for (const step of steps)
    expect(await reportOf(path, options, (reader) => inRanges(reader, step)), `step ${step}`).toEqual(report)
  return report
}

const withKey = { publicKeys: [testKey(1).publicKey] }
let sound: string[]
beforeAll(async () => {
  sound = await soundLines()
})

describe.each(['jsonl', 'sqlite'] as const)('every spoiled ledger, %s', (kind) => {
  it.each(
    sampled(
      [...LINE_CASES, ...CALL_CASES, ...PYPI_CASES].filter((one) => !isTorn(one, kind)),
      5,
    ),
  )('$code: $how', async (one) => {
    const path = await spoiledFile(one, kind, sound)
    await sameReport(path)
    await sameReport(path, { publicKeys: (one.keys ?? [1]).map((n) => testKey(n).publicKey) })
  })

  it('a sound one', async () => {
    const path = kind === 'jsonl' ? jsonlOf(sound) : sqliteOf(sound)
    expect((await sameReport(path)).ok).toBe(true)
    expect((await sameReport(path, withKey)).verdict).toBe('signed')
    expect((await sameReport(path, { publicKeys: [testKey(2).publicKey] })).ok).toBe(false)
  })
})

describe.each(KINDS)('calls that are decided in one range and end in another, %s', (kind) => {
  const calls = Array.from({ length: 12 }, (_, n) =>
    decisionDraft(n + 1, { kwargs: { amount: n, text: 'x'.repeat(200) } }),
  )
  const drafts = [...calls, ...calls.map((call) => outcomeDraft(call)).reverse()]

  it.each<[string, (drafts: EntryDraft[]) => void, string[]]>([
    ['as they were decided', () => {}, []],
    [
      'one outcome of another agent',
      (all) => Object.assign(all[15] as object, { agent_id: 'eve' }),
      ['DECISION_HASH_MISMATCH@17'],
    ],
    [
      'the last outcome of another action',
      (all) => Object.assign(all[23] as object, { action: 'wire' }),
      ['DECISION_HASH_MISMATCH@25'],
    ],
    [
      'an approval that was used in an earlier range',
      (all) => {
        for (const n of [1, 10]) Object.assign(all[n] as object, { approval: approvalOf(calls[n] as EntryDraft) })
      },
      ['APPROVAL_REUSED@12'],
    ],
    [
      'approvals without times',
      (all) =>
        Object.assign(all[10] as object, { approval: approvalOf(calls[10] as EntryDraft, { created_at: null }) }),
      ['APPROVAL_INCOMPLETE@12'],
    ],
    [
      'one approval each',
      (all) => {
        for (const n of [1, 10])
          Object.assign(all[n] as object, { approval: approvalOf(calls[n] as EntryDraft, { approval_id: `a-${n}` }) })
      },
      [],
    ],
  ])('%s', async (_, change, codes) => {
    const all = structuredClone(drafts)
    change(all)
    const path = await ledgerOf(kind, all)
    const report = await sameReport(path, withKey)
    expect(report.findings.map(({ code, position }) => `${code}@${position}`)).toEqual(codes)
  })

  it('creation times long after the recording are counted, and are not a finding', async () => {
    const late = { createdAt: '2031-01-02T03:04:05.000000Z' }
    const future = [decisionDraft(20, late), decisionDraft(21), decisionDraft(22, late)]
    const path = await ledgerOf(kind, [...future, ...drafts])
    expect(await sameReport(path, withKey)).toMatchObject({ ok: true, created_after_recorded: 2 })
  })

  it('a run that goes on from a state compares outcomes with the decisions that were open', async () => {
    const path = await ledgerOf(kind, calls)
    const first = await verifyOnce(path, withKey)
    const [state] = [parseState(encodeState(first.state as VerifiedState))]
    expect(state.openCalls[0]).toMatchObject({ createdAt: calls[0]?.created_at, agentId: 'support-bot' })
    await write(kind, path, [
      outcomeDraft(calls[0] as EntryDraft),
      { ...outcomeDraft(calls[1] as EntryDraft), action: 'wire' },
    ])
    const { report } = await verifyOnce(path, { ...withKey, resume: state })
    expect(report.resumed_from).toBe(13)
    expect(report.findings.map(({ code, position }) => `${code}@${position}`)).toEqual(['DECISION_HASH_MISMATCH@15'])
  })

  async function verifyOnce(path: string, options: VerifyOptions) {
    const reader = await openLedgerReader(path)
    try {
      return await verifyFrom(reader, { ...OWN_THREAD, ...options })
    } finally {
      await reader.close()
    }
  }
})

describe('the pages of the store', () => {
  const looks = async (path: string, resume?: VerifiedState) => {
    let looked = 0
    const reader = await openLedgerReader(path)
    const view = inRanges(reader, 5)
    const ranges = { ...view.ranges, isSound: async () => ++looked > 0 } as typeof view.ranges
    const { state } = await verifyFrom({ ...view, ranges } as LedgerReader, {
      ...OWN_THREAD,
      ...(resume && { resume }),
    })
    await reader.close()
    return { state: state as VerifiedState, looked }
  }

  it('are all looked at from the first entry on, and by a resumed run only before it reads in bulk', async () => {
    const calls = (from: number, count: number) => Array.from({ length: count }, (_, n) => decisionDraft(from + n))
    const path = await ledgerOf('sqlite', calls(1, 12))
    const { state, looked } = await looks(path)
    expect(looked).toBe(1)
    await write('sqlite', path, calls(13, 2))
    expect(await looks(path, state)).toMatchObject({ looked: 0 })
    await write('sqlite', path, calls(15, 8))
    expect(await looks(path, state)).toMatchObject({ looked: 1 })
  })
})

describe('the vectors', () => {
  const folder = join(import.meta.dirname, '../../../../vectors/ledger')
  const files = ['accept', 'reject'].flatMap((name) => readdirSync(join(folder, name)).map((file) => join(name, file)))
  it('are there', () => expect(files.length).toBeGreaterThan(60))
  it.each(sampled(files, 6))('%s', async (file) => {
    await sameReport(join(folder, file))
    const lines = readFileSync(join(folder, file), 'latin1').split('\n').slice(0, -1)
    await sameReport(sqliteOf(lines.map((line) => Buffer.from(line, 'latin1'))))
  })

  const python = join(import.meta.dirname, '../../../../../shared/vectors/python-v2')
  it.skipIf(!existsSync(python))('of SudoAgent for Python', async () => {
    const ledgers = readdirSync(python, { recursive: true, encoding: 'utf8' }).filter((name) =>
      /\.(jsonl|sqlite|db)$/.test(name),
    )
    expect(ledgers.length).toBeGreaterThan(0)
    for (const name of ledgers) await sameReport(join(python, name))
  })
})

describe.each(KINDS)('%s', (kind) => {
  const calls = Array.from({ length: 8 }, (_, n) => decisionDraft(n + 1, n % 3 === 2 ? { effect: 'deny' } : {}))
  const drafts = calls.flatMap((call, n) => (n % 3 === 2 ? [call] : [call, outcomeDraft(call)]))

  it('one that was written by us, with genesis, head and rotated keys, and what is anchored in the middle of it', async () => {
    const path = await ledgerOf(kind, drafts.slice(0, 6))
    const reader = await openLedgerReader(path)
    const { head } = await reader.evidence()
    await reader.close()
    await withWriter(kind, path, {}, (ledger) => ledger.addKey(testSigner(2)))
    await write(kind, path, drafts.slice(6), { signer: testSigner(2) })
    const checkpoints = head === null || head === 'unreadable' ? [] : [head.text]
    expect((await sameReport(path, { ...withKey, checkpoints })).verdict).toBe('anchored')
    expect((await sameReport(path)).ok).toBe(true)
  })

  it('goes on from a state as a whole run does', async () => {
    const path = await ledgerOf(kind, drafts.slice(0, 4))
    const reader = await openLedgerReader(path)
    const { state } = await verifyFrom(reader, withKey)
    await reader.close()
    await write(kind, path, drafts.slice(4))
    const report = await sameReport(path, { ...withKey, ...(state === null ? {} : { resume: state }) })
    expect(report).toMatchObject({ ok: true, verdict: 'anchored', resumed_from: 5 })
  })

  it('with any byte of any line changed', async () => {
    const path = await ledgerOf(kind, drafts)
    const lines = await linesIn(path)
    await fc.assert(
      fc.asyncProperty(oneByteChanged(lines), async (changed) => {
        await sameReport(kind === 'jsonl' ? jsonlOf(changed) : sqliteOf(changed), withKey)
      }),
      { numRuns: byTier({ short: 10, long: 60 }) },
    )
  })
})

it('a SQLite ledger with gaps, doubled or negative ids, or other types in its columns', async () => {
  const changes = [
    'UPDATE ledger SET id = id + 1000000 WHERE id > 3',
    'UPDATE ledger SET id = 9007199254740991 WHERE id = 7',
    'UPDATE ledger SET id = -1 WHERE id = 1',
    'DELETE FROM ledger WHERE id = 4',
    'UPDATE ledger SET entry_hash = CAST(entry_hash AS BLOB) WHERE id = 5',
    'UPDATE ledger SET prev_entry_hash = CAST(prev_entry_hash AS BLOB) WHERE id = 5',
    'UPDATE ledger SET entry_json = CAST(entry_json AS BLOB) WHERE id = 5',
    'UPDATE ledger SET entry_json = entry_json || char(10) WHERE id = 5',
    'UPDATE ledger SET entry_json = entry_json || char(10) || entry_json WHERE id = 5',
    // One row has two lines, and one row has no text, so there are as many lines as rows.
    'UPDATE ledger SET entry_json = entry_json || char(10) || (SELECT entry_json FROM ledger WHERE id = 6) WHERE id = 5; UPDATE ledger SET entry_json = CAST(entry_json AS BLOB) WHERE id = 6',
    'UPDATE ledger SET entry_hash = substr(entry_hash, 1, 60) WHERE id = 5',
    "UPDATE ledger SET entry_hash = entry_hash || '00' WHERE id = 5",
    'UPDATE ledger SET prev_entry_hash = NULL WHERE id = 5',
    "UPDATE ledger SET entry_json = '' WHERE id = 5",
  ]
  for (const change of changes) {
    const path = sqliteOf(sound)
    const db = new Database(path)
    db.exec(change)
    db.close()
    expect((await sameReport(path)).ok, change).toBe(false)
  }
})

it('a JSONL ledger with lines longer than a range, empty ones, and without its last line feed', async () => {
  const long = '{"a":"'.concat('x'.repeat(10_000), '"}')
  for (const lines of [
    [...sound.slice(0, 3), long, ...sound.slice(3)],
    [...sound.slice(0, 3), '', '', ...sound.slice(3)],
  ])
    expect((await sameReport(jsonlOf(lines))).ok).toBe(false)
  const torn = jsonlOf(sound)
  writeFileSync(torn, readFileSync(torn).subarray(0, -1))
  expect((await sameReport(torn)).findings.map(({ code }) => code)).toEqual(['LINE_TORN'])
})

it('entries in any language, with escapes, fractions and approvals: the long way, with the same report', async () => {
  const odd = [
    { text: 'é世界😀' },
    { text: 'a "quoted" \\ line\nbreak \u0001' },
    { amount: 1.5, tiny: 1e-7, big: 1e21 },
    { nested: { b: [1, { c: null }], a: [[], {}, [true, false]] } },
  ]
  const drafts = odd.flatMap((kwargs, n) => {
    const call = decisionDraft(n + 1, { kwargs })
    return [call, outcomeDraft(call)]
  })
  for (const kind of KINDS) {
    const path = await ledgerOf(kind, drafts)
    expect((await sameReport(path, withKey)).verdict).toBe('signed')
    replaceLines(
      kind,
      path,
      (await linesIn(path)).map((line) => line.replace('quoted', 'Quoted')),
    )
    expect((await sameReport(path, withKey)).ok).toBe(false)
  }
})
