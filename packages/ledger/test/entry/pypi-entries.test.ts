// Tests ledgers of sudoagent 2.0.0 from PyPI: search, export, receipts and tampering. `verify.test.ts` has a table of
// the findings. The ledgers that the Python package wrote are stored outside this repository and may be missing.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parsePublicKey } from '@sudoagent/crypto'
import { verifyReceipt } from '@sudoagent/crypto/receipt'
import { describe, expect, it } from 'vitest'
import { byTier } from '../../../../test/tier.js'

import { approvalOf, draftMisfit, isCallEntry } from '../../src/entry/entry.js'
import type { Criteria } from '../../src/read/criteria.js'
import { exportLedger } from '../../src/read/export-ledger.js'
import { select } from '../../src/read/query.js'
import { makeReceipt } from '../../src/read/receipt.js'
import { JsonlLedger } from '../../src/store/jsonl/ledger.js'
import { openLedgerReader } from '../../src/store/open.js'
import { SqliteLedger } from '../../src/store/sqlite/ledger.js'
import { OWNER_KEY } from '../fixtures/attack.js'
import { decisionDraft, requestIdOf, testKey, testSigner } from '../fixtures/draft.js'
import { codesOf, jsonlOf, sqliteOf, verifyFile } from '../fixtures/ledger-file.js'
import { notice } from '../fixtures/process/child.js'
import { mixedLines, PYPI_ENTRIES, pypiDecision, pypiLines } from '../fixtures/pypi-lines.js'
import { sameOutcome } from '../fixtures/same-outcome.js'
import { type Entry, sealAll } from '../fixtures/seal.js'

const KEY = { publicKeys: [testKey(1).publicKey] }
const fileOf = (kind: 'jsonl' | 'sqlite', lines: readonly string[]): string =>
  kind === 'jsonl' ? jsonlOf(lines) : sqliteOf(lines)

async function positionsOf(path: string, criteria: Criteria): Promise<number[]> {
  const reader = await openLedgerReader(path)
  const positions: number[] = []
  for await (const { position } of select(reader, criteria)) positions.push(position)
  await reader.close()
  return positions
}

async function exported(path: string, format: 'csv' | 'json' | 'ndjson'): Promise<string> {
  const reader = await openLedgerReader(path)
  let text = ''
  for await (const chunk of exportLedger(reader, format)) text += chunk
  await reader.close()
  return text
}

describe.each(['jsonl', 'sqlite'] as const)('entries of the package on PyPI, %s', (kind) => {
  it.each<[string, Criteria, number[]]>([
    ['a request', { requestId: requestIdOf(1) }, [1, 2]],
    ['an effect', { effect: 'deny' }, [3, 6, 7, 8, 9, 10]],
    ['an outcome', { outcome: 'error' }, [5]],
    ['a reason code', { reasonCode: 'BUDGET_EXCEEDED_AGENT_RATE' }, [10]],
    ['an argument', { text: 'größe €' }, [1, 2]],
    ['an approver', { text: 'OPS@example', event: 'decision' }, [4, 6]],
  ])('are found by %s', async (_, criteria, positions) => {
    expect(await positionsOf(fileOf(kind, pypiLines()), criteria)).toEqual(positions)
  })

  it('are exported: arguments and approvals have their columns', async () => {
    const path = fileOf(kind, pypiLines())
    const [, first, , , fourth, , sixth] = (await exported(path, 'csv')).split('\r\n')
    expect(first).toContain('"{""args"":[""\'Größe €\'"",""12.5""],""kwargs"":{')
    expect([fourth, sixth].map((row) => /,(approved|denied),([^,]+),/.exec(row ?? '')?.slice(1))).toEqual([
      ['approved', 'ops@example.com'],
      ['denied', 'ops@example.com'],
    ])
    expect(await exported(path, 'ndjson')).toBe(
      pypiLines()
        .map((line) => `${line}\n`)
        .join(''),
    )
    expect(JSON.parse(await exported(path, 'json'))).toHaveLength(PYPI_ENTRIES.length)
    await sameOutcome(path)
  })

  it('gain a tree and a head with the next append, and then have receipts', async () => {
    const path = fileOf(kind, pypiLines())
    const writer = (kind === 'jsonl' ? JsonlLedger : SqliteLedger).open(path, { signer: testSigner(1) })
    await writer.append(decisionDraft(99))
    await writer.close()
    expect(await verifyFile(path)).toMatchObject({ verdict: 'intact', entries: PYPI_ENTRIES.length + 1 })
    const reader = await openLedgerReader(path)
    const trust = { publicKeys: [OWNER_KEY, ...KEY.publicKeys] }
    for (const n of [1, 3, 4, 6, 7, 8, 9, 10, 11]) {
      const { text } = await makeReceipt(reader, { requestId: requestIdOf(n) })
      const { verdict, decision } = verifyReceipt(text, trust)
      expect([n, verdict, decision?.decision_hash_checked]).toEqual([n, 'signed', n !== 10])
      expect(decision?.actor).toEqual({ principal: 'unknown', source: 'python' })
      const bare = await makeReceipt(reader, { requestId: requestIdOf(n) }, { withEntry: false })
      expect(verifyReceipt(bare.text, trust)).toMatchObject({ verdict: 'signed', decision: null })
    }
    const { text } = await makeReceipt(reader, { requestId: requestIdOf(4) })
    await reader.close()
    expect(verifyReceipt(text, trust).decision).toMatchObject({
      parameters: '{"args":["4"],"kwargs":{}}',
      approval: { approval_id: null, state: 'approved', approver_id: 'ops@example.com' },
    })
    for (const [what, other] of [
      ['"4"', '"5"'],
      ['app.RefundPolicy', 'app.OtherPolicy'],
      ['"approved": true', '"approved": false'],
    ])
      expect(verifyReceipt(text.replaceAll(what ?? '', other ?? ''), trust).ok, what).toBe(false)
  })

  it('stand among others, each told apart by itself', async () => {
    const path = fileOf(kind, await mixedLines())
    expect(await verifyFile(path)).toMatchObject({ verdict: 'intact', findings: [] })
    await sameOutcome(path)
  })
})

it('an approval is read by the shape of its entry', () => {
  const [pypi, denied] = [pypiDecision(1, { approved: true }), pypiDecision(2, { approved: false })]
  const states = [pypi, denied].map((entry) => approvalOf(entry as never)?.state)
  expect(states).toEqual(['approved', 'denied'])
  const ours = { ...decisionDraft(1), approval: { state: 'denied', approved: true } }
  expect(approvalOf(ours as never)?.state).toBe('denied')
})

it('no writer takes an entry of that shape', () => {
  expect(draftMisfit(pypiDecision(1))).toBe('decision.policy_version')
})

describe('tampered', () => {
  it('every changed byte of a signed ledger is found', { timeout: 600_000 }, async () => {
    const bytes = Buffer.from(
      sealAll(PYPI_ENTRIES.slice(0, 2), () => testSigner(1))
        .map((line) => `${line}\n`)
        .join(''),
    )
    const step = byTier({ short: 7, long: 1 })
    for (let at = 1; at < bytes.length; at += step) {
      const copy = Buffer.from(bytes)
      copy[at] = (bytes[at] ?? 0) ^ (at % 2 === 0 ? 0x01 : 0xff)
      const lines = copy.subarray(0, -1)
      const path = at === bytes.length - 1 ? jsonlOf([copy]) : jsonlOf([lines])
      const codes = codesOf(await verifyFile(path, KEY))
      expect(codes.length, `byte ${at}`).toBeGreaterThan(0)
    }
  })

  /** Yields the path of every value in an entry. */
  function* leaves(value: unknown, path: readonly string[] = []): Generator<readonly string[]> {
    if (typeof value !== 'object' || value === null || Object.keys(value).length === 0) yield path
    else for (const name of Object.keys(value)) yield* leaves((value as Entry)[name], [...path, name])
  }

  const changedAt = (entry: Entry, [name = '', ...rest]: readonly string[]): Entry => {
    const value = entry[name]
    const copy = (Array.isArray(entry) ? [...entry] : { ...entry }) as Entry
    if (rest.length > 0) copy[name] = changedAt(value as Entry, rest)
    else copy[name] = typeof value === 'boolean' ? !value : typeof value === 'string' ? `${value}x` : 'x'
    return copy
  }

  // Members that only the entry hash covers, in this format and in ours. A change to these members is detected only if
  // entries are signed.
  const UNBOUND = ['decision.reason', 'outcome.error', 'outcome.error_type', 'metadata.policy_decision']

  const BOUND_IN_OUTCOMES = /^(?:event|request_id|decision\.\w+_hash|decision\.policy_id|outcome\.status)$/

  it.each([
    [0, 'an allow'],
    [3, 'an approved call'],
    [4, 'an outcome'],
    [5, 'a refused call'],
  ])('every member that is changed and sealed anew is found: entry %i, %s', async (n) => {
    const entry = PYPI_ENTRIES[n] ?? {}
    for (const path of leaves(entry)) {
      const spoiled = PYPI_ENTRIES.map((other, at) => (at === n ? changedAt(entry, path) : other))
      const unsigned = await verifyFile(jsonlOf(sealAll(spoiled)))
      const name = path.join('.')
      if (!UNBOUND.includes(name) && (n !== 4 || BOUND_IN_OUTCOMES.test(name)))
        expect(codesOf(unsigned), name).not.toEqual([])
      const stranger = await verifyFile(jsonlOf(sealAll(spoiled, (at) => testSigner(at === n ? 2 : 1))), KEY)
      expect(stranger.ok, name).toBe(false)
    }
  })
})

const FOLDER = join(import.meta.dirname, '../../../../../shared/vectors/python-pypi-2.0.0')
const here = existsSync(FOLDER)
const ledgers = here ? readdirSync(FOLDER).filter((name) => /\.(jsonl|sqlite)$/.test(name)) : []
if (!here) notice('ledgers from the PyPI package (../shared/vectors is missing)')

describe.skipIf(!here)('ledgers that the package on PyPI wrote', () => {
  it.each(ledgers)('verify and come out of an export as they went in: %s', async (name) => {
    const path = join(FOLDER, name)
    const publicKeys = name.startsWith('signed')
      ? [parsePublicKey(readFileSync(join(FOLDER, 'signed.pub.pem'), 'utf8'))]
      : []
    const report = await verifyFile(path, { publicKeys })
    expect(report).toMatchObject({ ok: true, verdict: publicKeys.length > 0 ? 'signed' : 'intact', findings: [] })
    if (name.endsWith('.jsonl')) expect(await exported(path, 'ndjson')).toBe(readFileSync(path, 'utf8'))
    await sameOutcome(path)
    const reader = await openLedgerReader(path)
    for await (const { entry } of select(reader)) expect(isCallEntry(entry)).toBe(true)
    await reader.close()
  })
})
