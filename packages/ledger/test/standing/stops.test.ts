// Tests what `verify` says of stops that no writer of ours would write.
import { describe, expect, it, test } from 'vitest'
import type { ControlDraft } from '../../src/entry/control.js'
import { EMPTY_HEAD } from '../../src/port/writer.js'
import { MemoryLedger } from '../../src/store/memory.js'
import { verify } from '../../src/verify/verify.js'
import { encodeDraft } from '../../src/write/encode-draft.js'
import { linkBatch } from '../../src/write/link-batch.js'
import { decisionDraft, momentAt, tickingClock } from '../fixtures/draft.js'
import { isChunk, linesReader, rangedReader } from '../fixtures/lines-reader.js'
import { OWN_THREAD } from '../fixtures/ranges.js'
import { entriesOf, sealAll } from '../fixtures/seal.js'

const NOTE = { reason: 'incident', by: 'alice' }
const ID = '00000000-0000-4000-8000-000000000001'
const OTHER = '00000000-0000-4000-8000-000000000002'
const stop = { kind: 'stop', stop_id: ID, scope: { all: true }, ...NOTE }
const resume = { kind: 'resume', stop_id: ID, ...NOTE }

/** The lines of a ledger with these blocks as control entries, and `allow` for an allowed call. */
async function linesWith(...parts: readonly (object | 'allow' | 'deny')[]): Promise<string[]> {
  const ledger = new MemoryLedger({ clock: tickingClock(), generateId: () => 'the ledger' })
  for (const [n, part] of parts.entries())
    await ledger.append(decisionDraft(n + 1, part === 'deny' ? { effect: 'deny' } : {}))
  const lines: string[] = []
  for await (const batch of ledger.reader().batches())
    for (const { bytes } of batch) lines.push(String(Buffer.from(bytes)))
  const entries = entriesOf(lines)
  const changed = entries.map((entry, n) => {
    const part = n === 0 ? 'allow' : parts[n - 1]
    if (typeof part === 'string' || part === undefined) return entry
    const { schema_version, ledger_version, recorded_at } = entry
    return {
      event: 'checkpoint',
      created_at: momentAt(n),
      checkpoint: part,
      schema_version,
      ledger_version,
      recorded_at,
    }
  })
  return sealAll(changed)
}

async function findings(...parts: readonly (object | 'allow' | 'deny')[]): Promise<string[]> {
  const lines = await linesWith(...parts)
  const report = await verify(linesReader(lines), OWN_THREAD)
  expect(await verify(rangedReader(lines, 2), OWN_THREAD)).toMatchObject({ findings: report.findings })
  return report.findings.map(({ code, position }) => `${position} ${code}`)
}

describe('an allow behind a stop', () => {
  it('is found, until the stop is ended', async () => {
    expect(await findings('allow', stop, 'allow', 'deny', resume, 'allow')).toEqual(['4 ALLOWED_WHILE_STOPPED'])
  })

  it('is found in a chunk of calls only', async () => {
    const lines = await linesWith(stop, 'allow', 'deny', 'allow', 'deny')
    expect(isChunk(lines.slice(2), true)).toBe(true)
    const report = await verify(rangedReader(lines, 2), OWN_THREAD)
    expect(report.findings.map(({ code, position }) => `${position} ${code}`)).toEqual([
      '3 ALLOWED_WHILE_STOPPED',
      '5 ALLOWED_WHILE_STOPPED',
    ])
  })

  it('is not taken for a call of another agent with a line feed in its name', async () => {
    const control = { event: 'checkpoint', created_at: momentAt(2), checkpoint: { ...stop, scope: { agent: 'a' } } }
    const drafts = [
      decisionDraft(1),
      control as unknown as ControlDraft,
      decisionDraft(3, { action: 'c', more: { agent_id: 'a\nb' } }),
      decisionDraft(4, { action: 'b\nc', more: { agent_id: 'a' } }),
    ]
    const link = { signer: null, clock: tickingClock() }
    const lines = (
      await linkBatch(
        drafts.map((draft) => encodeDraft(draft)),
        EMPTY_HEAD,
        link,
      )
    ).entries.map(({ line }) => line)
    for (const reader of [linesReader(lines), rangedReader(lines, 2)]) {
      const { findings: found } = await verify(reader, OWN_THREAD)
      expect(found.map(({ code, position }) => `${position} ${code}`)).toEqual(['4 ALLOWED_WHILE_STOPPED'])
    }
  })

  it('is in no ledger of ours, whose chunks are read as a whole while a stop is open', async () => {
    const parts = Array.from({ length: 9 }, () => 'allow' as const)
    const lines = await linesWith({ ...stop, scope: { agent: 'another' } }, ...parts)
    const report = await verify(rangedReader(lines, 3), OWN_THREAD)
    // Only the genesis and the stop are read in full.
    expect(report).toMatchObject({ ok: true, read_in_full: 2, stops: [{ stop_id: ID, in_flight: 0 }] })
  })
})

describe('a stop that is not one covers nothing', () => {
  test.each<[string, object]>([
    ['an empty scope', { ...stop, scope: {} }],
    ['an unknown member of the scope', { ...stop, scope: { agent: '*', region: 'eu' } }],
    ['all, and more', { ...stop, scope: { all: true, agent: '*' } }],
    ['no scope', { kind: 'stop', stop_id: ID, ...NOTE }],
    ['an id that is not a UUIDv4', { ...stop, stop_id: '1' }],
    ['an id that is an object', { ...stop, stop_id: { toString: ID } }],
    ['no reason', { kind: 'stop', stop_id: ID, scope: { all: true }, by: 'alice' }],
    ['a reason that is too long', { ...stop, reason: 'x'.repeat(1_025) }],
    ['nobody', { ...stop, by: '' }],
    ['more than 64 KiB', { ...stop, more: 'x'.repeat(64 * 1024) }],
  ])('%s', async (_, block) => {
    expect(await findings(block, 'allow')).toEqual(['2 STOP_INVALID'])
  })

  it('the id of a stop that is open', async () => {
    expect(await findings({ ...stop, scope: { agent: 'x' } }, stop, 'allow')).toEqual(['3 STOP_INVALID'])
    expect(await findings(stop, resume, stop, 'allow')).toEqual(['5 ALLOWED_WHILE_STOPPED'])
  })

  it('one more than 255 narrow ones; a stop of everything still counts', async () => {
    const narrow = Array.from({ length: 256 }, (_, n) => ({
      ...stop,
      stop_id: `00000000-0000-4000-8000-${(n + 16).toString(16).padStart(12, '0')}`,
      scope: { tenant: `t${n}` },
    }))
    expect(await findings(...narrow, stop, 'allow')).toEqual(['257 STOP_INVALID', '259 ALLOWED_WHILE_STOPPED'])
  })
})

describe('a resume', () => {
  test.each<[string, object[]]>([
    ['of no stop', [resume]],
    ['of a stop that is ended', [stop, resume, resume]],
    ['of another stop', [stop, { ...resume, stop_id: OTHER }]],
    ['without a reason', [stop, { kind: 'resume', stop_id: ID, by: 'alice' }]],
  ])('%s is a finding', async (_, blocks) => {
    expect(await findings(...blocks)).toEqual([`${blocks.length + 1} CONTROL_INVALID`])
  })

  it('with members that a later release may add is taken', async () => {
    expect(await findings(stop, { ...resume, statement: { sig: '' } }, 'allow')).toEqual([])
  })
})

describe('control entries around the edges of a ledger', () => {
  it('of a kind that is not known are counted', async () => {
    const report = await verify(linesReader(await linesWith({ kind: 'from the future' }, 'allow')), OWN_THREAD)
    expect(report).toMatchObject({ ok: true, controls_unknown: 1 })
  })

  it('a stop as the first entry is not a genesis, and covers nothing', async () => {
    const draft = { event: 'checkpoint', created_at: momentAt(1), checkpoint: stop } as never
    const drafts = [draft, decisionDraft(1)].map((draft) => encodeDraft(draft))
    const { entries } = await linkBatch(drafts, EMPTY_HEAD, { signer: null, clock: tickingClock() })
    const report = await verify(linesReader(entries.map(({ line }) => line)), OWN_THREAD)
    expect(report.findings.map(({ code, position }) => `${position} ${code}`)).toEqual(['1 CONTROL_INVALID'])
  })

  it('stops behind the last entry of a closed ledger open nothing', async () => {
    const lines = await linesWith({ kind: 'closed', size: 2 }, stop)
    const report = await verify(linesReader(lines), OWN_THREAD)
    expect(report).toMatchObject({ ok: false, stops: [], findings: [{ code: 'ENTRY_AFTER_CLOSED' }] })
  })
})
