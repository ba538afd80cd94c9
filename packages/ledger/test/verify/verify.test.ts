import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { FindingCode } from '../../src/entry/finding.js'
import { openLedgerReader } from '../../src/store/open.js'
import { verify } from '../../src/verify/verify.js'
import { decisionDraft, momentAt, outcomeDraft, testKey, testSigner } from '../fixtures/draft.js'
import { codesOf, jsonlOf, sqliteOf, verifyFile } from '../fixtures/ledger-file.js'
import { PYPI_CASES } from '../fixtures/pypi-lines.js'
import { entriesOf, sealAll, writtenLines } from '../fixtures/seal.js'
import { CALL_CASES } from '../fixtures/spoiled/calls.js'
import { soundLines, spoiledFile } from '../fixtures/spoiled/ledgers.js'
import { LINE_CASES } from '../fixtures/spoiled/lines.js'

const CASES = [...LINE_CASES, ...CALL_CASES, ...PYPI_CASES]

// Where each verify code is tested: in the table below, in the table of attacks (codes about evidence stored with the
// ledger or elsewhere), in the test of verdicts, or in the tests of stops and questions. The compiler keeps this list
// complete.
const CODES: Record<FindingCode, 'here' | 'attack-table' | 'verdict' | 'stops' | 'questions'> = {
  LINE_TOO_LONG: 'here',
  LINE_NOT_JSON: 'here',
  LINE_NOT_CANONICAL: 'here',
  LINE_TORN: 'here',
  ENTRY_INVALID: 'here',
  VERSION_UNSUPPORTED: 'here',
  CHAIN_BROKEN: 'here',
  ENTRY_HASH_MISMATCH: 'here',
  COLUMN_MISMATCH: 'here',
  CLOCK_WENT_BACK: 'here',
  DECISION_HASH_MISMATCH: 'here',
  POLICY_HASH_MISMATCH: 'here',
  DECISION_DUPLICATE: 'here',
  DECISION_UNKNOWN: 'here',
  REQUEST_ID_MISMATCH: 'here',
  OUTCOME_AFTER_DENY: 'here',
  OUTCOME_DUPLICATE: 'here',
  APPROVAL_BINDING_MISMATCH: 'here',
  APPROVAL_EXPIRED: 'here',
  APPROVAL_NOT_APPROVED: 'here',
  AUTHORITY_INVALID: 'here',
  SIGNATURE_MISSING: 'here',
  SIGNATURE_INVALID: 'here',
  KEY_UNKNOWN: 'here',
  STORE_DAMAGED: 'here',
  STORE_FOREIGN_OBJECT: 'here',
  TRUNCATED: 'here',
  LEDGER_EMPTY: 'here',
  KEY_RETIRED: 'attack-table',
  CONTROL_INVALID: 'attack-table',
  ENTRY_AFTER_CLOSED: 'attack-table',
  CHECKPOINT_INVALID: 'attack-table',
  CHECKPOINT_MISSING: 'attack-table',
  ROOT_MISMATCH: 'attack-table',
  INCONSISTENT: 'attack-table',
  OUTCOME_MISSING: 'attack-table',
  TAIL_TOO_LONG: 'attack-table',
  WITNESS_QUORUM_MISSING: 'attack-table',
  REQUIREMENT_NOT_MET: 'attack-table',
  ORIGIN_MISMATCH: 'verdict',
  LOG_KEY_MISMATCH: 'verdict',
  CHECKPOINT_TOO_OLD: 'verdict',
  APPROVAL_REUSED: 'attack-table',
  APPROVAL_INCOMPLETE: 'attack-table',
  STOP_INVALID: 'stops',
  ALLOWED_WHILE_STOPPED: 'stops',
  ASKED_DUPLICATE: 'questions',
  ASKED_MISMATCH: 'questions',
  APPROVAL_NOT_ASKED: 'questions',
}

const SOUND = {
  ok: true,
  entries: 7,
  decisions: 4,
  outcomes: 3,
  open: 0,
  open_calls: [],
  stops: [],
  questions: { open: 0, expired: 0 },
  approvals: { signed: { webauthn: 0, sshsig: 0, ed25519: 0 }, asserted: 1, redacted: 0 },
  approvers_by: null,
  resumes: { signed: 0, operator: 0 },
  controls_unknown: 0,
  findings: [],
  findings_total: 0,
  warnings: [],
}

describe('a sound ledger', () => {
  it.each(['jsonl', 'sqlite'] as const)('verifies: %s', async (kind) => {
    const lines = await soundLines()
    const path = kind === 'jsonl' ? jsonlOf(lines) : sqliteOf(lines)
    const entryHash = entriesOf(lines)[6]?.entry_hash
    expect(await verifyFile(path)).toEqual({
      ...SOUND,
      verdict: 'intact',
      signed_entries: 7,
      origin: `sudoagent.dev/ledger/${String(entriesOf(lines)[0]?.entry_hash).slice(0, 32)}`,
      head: { size: 7, entry_hash: entryHash, root: expect.stringMatching(/^[A-Za-z0-9+/]{43}=$/) },
      // The ledger has no head.
      checkpoint: null,
      tail: 7,
      anchors: [],
      anchored_to: null,
      witnesses: null,
      witnessed_to: null,
      resumed_from: null,
      closed: false,
      first_created_at: momentAt(1),
      last_created_at: momentAt(4),
      created_after_recorded: 0,
      // This is the first entry, which has no predecessor.
      read_in_full: 1,
      keys: { in_ledger: [testKey(1).publicKey.keyId], given: [], active: [], retired: [] },
    })
    expect(await verifyFile(path, { publicKeys: [testKey(1).publicKey] })).toMatchObject({
      ...SOUND,
      verdict: 'signed',
      signed_entries: 7,
    })
  })
})

describe('a spoiled ledger', () => {
  it('is in the table below once for every code', () => {
    const codesIn = (where: string) => Object.entries(CODES).flatMap(([code, is]) => (is === where ? [code] : []))
    expect([...new Set(CASES.map(({ code }) => code))].sort()).toEqual(codesIn('here').sort())
    for (const file of ['attack-table', 'verdict']) {
      const text = readFileSync(join(import.meta.dirname, `${file}.test.ts`), 'utf8')
      for (const code of codesIn(file)) expect(text).toContain(`${code}@`)
    }
  })

  it.each(CASES.map((one) => [`${one.code}: ${one.how}`, one] as const))('%s', async (_, one) => {
    const sound = await soundLines()
    const publicKeys = (one.keys ?? [1]).map((n) => testKey(n).publicKey)
    for (const kind of ['jsonl', 'sqlite'] as const) {
      const expected = one.findings[kind] ?? one.findings.both
      if (expected === undefined) continue
      const path = kind === 'jsonl' ? jsonlOf(sound) : sqliteOf(sound)
      expect(await verifyFile(path, { publicKeys: [testKey(1).publicKey] })).toMatchObject({
        ok: true,
        verdict: 'signed',
      })
      const report = await verifyFile(await spoiledFile(one, kind, sound), { publicKeys })
      expect(codesOf(report), kind).toEqual(expected)
      expect(codesOf(report).some((code) => code.startsWith(`${one.code}@`))).toBe(true)
      expect(report).toMatchObject({
        ok: false,
        verdict: one.verdict ?? 'broken',
        findings_total: expected.length,
      })
    }
  })
})

describe('calls without an outcome', () => {
  it('are listed, the first hundred of them', async () => {
    const lines = await writtenLines(Array.from({ length: 130 }, (_, n) => decisionDraft(n)))
    const report = await verifyFile(jsonlOf(lines))
    expect([report.open, report.open_calls.length]).toEqual([130, 100])
    expect(report.open_calls[0]).toEqual({ position: 1, request_id: decisionDraft(0).request_id })
  })
})

describe('findings', () => {
  it('are kept up to a bound, and counted beyond it', async () => {
    const lines = Array.from({ length: 250 }, () => '{}')
    const report = await verifyFile(jsonlOf(lines))
    expect([report.findings.length, report.findings_total, report.entries]).toEqual([100, 250, 250])
    expect(report.findings.map(({ position }) => position)).toEqual(Array.from({ length: 100 }, (_, n) => n + 1))
    const few = await verifyFile(jsonlOf(lines), { maxFindings: 3 })
    expect([few.findings.length, few.findings_total]).toEqual([3, 250])
    const none = await verifyFile(jsonlOf(lines), { maxFindings: 0 })
    expect([none.findings.length, none.findings_total, none.ok]).toEqual([0, 250, false])
  })

  it('name the request, safe to print', async () => {
    const decision = decisionDraft(1, { requestId: 'r\u001b[2J\u202e1' })
    const lines = sealAll(entriesOf(await writtenLines([decision, outcomeDraft(decision), outcomeDraft(decision)])))
    const [finding] = (await verifyFile(jsonlOf(lines))).findings
    expect(finding).toMatchObject({ code: 'OUTCOME_DUPLICATE', position: 3, request_id: 'r\\u{1b}[2J\\u{202e}1' })
  })
})

describe('progress and abort', () => {
  const many = writtenLines(Array.from({ length: 600 }, (_, n) => decisionDraft(n)))

  it.each(['jsonl', 'sqlite'] as const)('are told of every batch: %s', async (kind) => {
    const seen: number[] = []
    const path = kind === 'jsonl' ? jsonlOf(await many) : sqliteOf(await many)
    await verifyFile(path, { onProgress: (entries) => seen.push(entries) })
    expect(seen).toEqual([256, 512, 600])
  })

  it.each(['jsonl', 'sqlite'] as const)('leave turns to the rest of the process: %s', async (kind) => {
    const path = kind === 'jsonl' ? jsonlOf(await many) : sqliteOf(await many)
    let turns = 0
    const count = (): void => {
      turns += 1
      handle = setImmediate(count)
    }
    let handle = setImmediate(count)
    await verifyFile(path)
    clearImmediate(handle)
    expect(turns).toBeGreaterThanOrEqual(3)
  })

  it.each(['jsonl', 'sqlite'] as const)(
    'end the walk with the reason given, and the ledger can be closed: %s',
    async (kind) => {
      const path = kind === 'jsonl' ? jsonlOf(await many) : sqliteOf(await many)
      const controller = new AbortController()
      const reason = new Error('enough')
      const seen: number[] = []
      const onProgress = (entries: number): void => {
        seen.push(entries)
        controller.abort(reason)
      }
      await expect(verifyFile(path, { signal: controller.signal, onProgress })).rejects.toBe(reason)
      expect(seen).toEqual([256])
      await expect(verifyFile(path, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    },
  )
})

describe('keys', () => {
  const drafts = [1, 2, 3].map((n) => decisionDraft(n))
  const both = [testKey(1).publicKey, testKey(2).publicKey]

  it('sign a verdict only when they were given and every entry has a good signature', async () => {
    const unsigned = jsonlOf(await writtenLines(drafts))
    const signed = jsonlOf(await writtenLines(drafts, testSigner(1)))
    expect((await verifyFile(unsigned)).verdict).toBe('intact')
    expect((await verifyFile(signed)).verdict).toBe('intact')
    expect((await verifyFile(signed, { publicKeys: [] })).verdict).toBe('intact')
    expect((await verifyFile(signed, { publicKeys: both })).verdict).toBe('signed')
    expect(codesOf(await verifyFile(unsigned, { publicKeys: both }))).toEqual(
      [1, 2, 3].map((n) => `SIGNATURE_MISSING@${n}`),
    )
    expect(codesOf(await verifyFile(signed, { publicKeys: both.slice(1) }))).toEqual(['KEY_UNKNOWN@1'])
  })

  it('may follow one another, and are reported', async () => {
    const entries = entriesOf(await writtenLines(drafts)).map((entry, n) => ({
      ...entry,
      key_id: testSigner(n < 2 ? 1 : 2).keyId,
    }))
    const path = jsonlOf(sealAll(entries, (n) => testSigner(n < 2 ? 1 : 2)))
    const report = await verifyFile(path, { publicKeys: both })
    expect(report).toMatchObject({ verdict: 'signed', keys: { in_ledger: both.map(({ keyId }) => keyId).sort() } })
    expect(codesOf(await verifyFile(path, { publicKeys: both.slice(0, 1) }))).toEqual(['KEY_UNKNOWN@3'])
  })

  it('are tried one by one where an entry does not name its key, as Python does not', async () => {
    const path = jsonlOf(sealAll(entriesOf(await writtenLines(drafts)), () => testSigner(2)))
    expect(await verifyFile(path, { publicKeys: both })).toMatchObject({ verdict: 'signed', keys: { in_ledger: [] } })
    expect(codesOf(await verifyFile(path, { publicKeys: both.slice(0, 1) }))).toEqual(['KEY_UNKNOWN@1'])
  })

  it('are counted once when given twice, and refused when there are too many', async () => {
    const signed = jsonlOf(await writtenLines(drafts, testSigner(1)))
    const report = await verifyFile(signed, { publicKeys: [both[0], both[0]].filter((key) => key !== undefined) })
    expect(report).toMatchObject({ verdict: 'signed', keys: { given: [both[0]?.keyId] } })
    const reader = await openLedgerReader(signed)
    const many = Array.from({ length: 65 }, () => testKey(1).publicKey)
    await expect(verify(reader, { publicKeys: many })).rejects.toThrow(RangeError)
    await reader.close()
  })

  it('are listed up to a bound: a hostile ledger names a new one on every line', async () => {
    const entries = entriesOf(await writtenLines(Array.from({ length: 120 }, (_, n) => decisionDraft(n))))
    const lines = sealAll(entries.map((entry, n) => ({ ...entry, key_id: n.toString(16).padStart(16, '0') })))
    expect((await verifyFile(jsonlOf(lines))).keys.in_ledger).toHaveLength(100)
  })
})
