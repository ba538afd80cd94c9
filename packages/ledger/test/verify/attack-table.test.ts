// Tests the table of attacks in docs/threat-model.md. For each attack and each of the two stores, the listed evidence
// must detect the attack, and the same check must accept the valid ledger. Over 300 lines because it is one table.
import { rmSync } from 'node:fs'
import { encodeCanonical } from '@sudoagent/crypto/json'
import { parseWitnessPolicy } from '@sudoagent/crypto/note'
import { describe, expect, it } from 'vitest'
import type { EntryDraft } from '../../src/entry/entry.js'
import { makeReceipt } from '../../src/read/receipt.js'
import { keepCosigned } from '../../src/store/keep-cosigned.js'
import { openLedgerReader } from '../../src/store/open.js'
import type { Report } from '../../src/verify/report.js'
import type { VerifyOptions } from '../../src/verify/verify.js'
import {
  backUp,
  cosigned,
  cutTail,
  headIn,
  KINDS,
  type Kind,
  ledgerOf,
  linesIn,
  OWNER,
  OWNER_KEY,
  removeHead,
  replaceHead,
  replaceLines,
  testWitness,
  withWriter,
  write,
} from '../fixtures/attack.js'
import { approvalOf, decisionDraft, outcomeDraft, testKey, testSigner } from '../fixtures/draft.js'
import { codesOf, verifyFile } from '../fixtures/ledger-file.js'
import { refusalOf } from '../fixtures/refusal.js'
import { type Entry, entriesOf, sealAll } from '../fixtures/seal.js'

const [paid, asked, refused] = [decisionDraft(1), decisionDraft(2), decisionDraft(3, { effect: 'deny' })]
const approved: EntryDraft = { ...asked, approval: approvalOf(asked) }
/** Positions: 1 genesis, 2 and 3 a call, 4 and 5 an approved call, 6 a denied call, 7 and 8 one more call. */
const last = decisionDraft(4)
const DRAFTS = [paid, outcomeDraft(paid), approved, outcomeDraft(approved), refused, last, outcomeDraft(last)]

const withKey: VerifyOptions = { publicKeys: [OWNER_KEY] }
const honest = (kind: Kind): Promise<string> => ledgerOf(kind, DRAFTS)

/** Returns the finding codes and the verdict in one value, so that each test compares both. */
async function judged(path: string, options: VerifyOptions = {}): Promise<{ codes: string[]; verdict: string }> {
  const report: Report = await verifyFile(path, options)
  expect(report.ok).toBe(!['broken', 'unverified'].includes(report.verdict))
  expect(report.findings_total).toBe(report.findings.length)
  return { codes: codesOf(report), verdict: report.verdict }
}

const fine = (verdict: string) => ({ codes: [], verdict })

describe.each(KINDS)('%s', (kind) => {
  it('an honest ledger is intact, and signed for whoever holds the key', async () => {
    const path = await honest(kind)
    expect(await judged(path)).toEqual(fine('intact'))
    expect(await judged(path, withKey)).toEqual(fine('signed'))
    expect(await judged(path, { ...withKey, require: 'signed', maxTail: 0, requireOutcomes: true })).toEqual(
      fine('signed'),
    )
  })

  describe('entries changed in place: the chain and the tree, with nothing in hand', () => {
    const swap = (lines: string[], a: number, b: number): string[] =>
      lines.map((line, n) => (n === a ? (lines[b] ?? '') : n === b ? (lines[a] ?? '') : line))
    it.each<[string, (lines: string[]) => string[], string]>([
      ['edited', (lines) => lines.map((line) => line.replace('"amount":1,', '"amount":9,')), 'ENTRY_HASH_MISMATCH@2'],
      ['deleted', (lines) => lines.filter((_, n) => n !== 4), 'CHAIN_BROKEN@5'],
      ['inserted', (lines) => [...lines.slice(0, 3), lines[5] ?? '', ...lines.slice(3)], 'CHAIN_BROKEN@4'],
      ['reordered', (lines) => swap(lines, 5, 6), 'CHAIN_BROKEN@6'],
      ['duplicated', (lines) => [...lines.slice(0, 3), lines[2] ?? '', ...lines.slice(3)], 'CHAIN_BROKEN@4'],
    ])('%s', async (_, change, code) => {
      const path = await honest(kind)
      replaceLines(kind, path, change(await linesIn(path)))
      const { codes, verdict } = await judged(path)
      expect(codes).toContain(code)
      expect(verdict).toBe('broken')
    })

    it('edited, with every hash computed anew: signatures and head', async () => {
      const path = await honest(kind)
      const lines = await linesIn(path)
      const entries = entriesOf(lines)
      const forged = entries.map((entry, n) => (n === 5 ? { ...entry, agent_id: 'somebody else' } : entry))
      // The signatures are unchanged, because an attacker without the key cannot create new ones.
      const resealed = sealAll(forged).map((line, n) => withSignature(line, entries[n]?.entry_signature))
      replaceLines(kind, path, resealed)
      const { codes, verdict } = await judged(path, withKey)
      expect(codes).toEqual(expect.arrayContaining(['SIGNATURE_INVALID@6', 'SIGNATURE_INVALID@8', 'ROOT_MISMATCH@-']))
      expect(verdict).toBe('broken')
      // If no key is given, verify still detects the change, because the ledger declares its key.
      expect((await judged(path)).codes).toEqual(expect.arrayContaining(['SIGNATURE_INVALID@6', 'ROOT_MISMATCH@-']))
    })
  })

  describe('signatures', () => {
    it('stripped: the genesis asks for them, key in hand or not', async () => {
      const path = await honest(kind)
      replaceLines(kind, path, sealAll(entriesOf(await linesIn(path)).map(({ key_id: _, ...entry }) => entry)))
      const { codes, verdict } = await judged(path)
      expect(codes).toEqual(expect.arrayContaining(['SIGNATURE_MISSING@1', 'SIGNATURE_MISSING@8']))
      expect(verdict).toBe('broken')
    })

    it('stripped with the genesis: the public key', async () => {
      const path = await ledgerOf(kind, DRAFTS, { signer: undefined as never })
      expect(await judged(path)).toEqual(fine('intact'))
      const { codes, verdict } = await judged(path, withKey)
      expect(codes).toContain('SIGNATURE_MISSING@2')
      expect(verdict).toBe('broken')
    })

    it('made with another key, throughout: the public key', async () => {
      const path = await ledgerOf(kind, DRAFTS, { signer: testSigner(66) })
      expect(await judged(path, { publicKeys: [testKey(66).publicKey] })).toEqual(fine('signed'))
      const { codes, verdict } = await judged(path, withKey)
      expect({ codes, verdict }).toEqual({ codes: ['KEY_UNKNOWN@1'], verdict: 'unverified' })
    })
  })

  describe('the tail cut off', () => {
    it.each([1, 3, 7])('%i entries: the head, with nothing in hand', async (entries) => {
      const path = await honest(kind)
      await cutTail(kind, path, entries)
      for (const options of [{}, withKey]) {
        const { codes, verdict } = await judged(path, options)
        expect(codes).toContain('TRUNCATED@-')
        expect(verdict).toBe('broken')
      }
    })

    it('and the head removed: a ledger that wants signatures has a head', async () => {
      const path = await honest(kind)
      await cutTail(kind, path, 2)
      removeHead(kind, path)
      expect(await judged(path, withKey)).toEqual({ codes: ['CHECKPOINT_MISSING@-'], verdict: 'broken' })
      expect(await judged(path)).toEqual({ codes: ['CHECKPOINT_MISSING@-'], verdict: 'broken' })
    })

    it('and an earlier head put in place of the later: a checkpoint or receipt kept elsewhere', async () => {
      const path = await ledgerOf(kind, DRAFTS.slice(0, 5))
      const earlier = await headIn(path)
      await write(kind, path, DRAFTS.slice(5))
      const kept = await headIn(path)
      expect(await judged(path, { ...withKey, checkpoints: [kept] })).toEqual(fine('anchored'))
      await cutTail(kind, path, 2)
      replaceHead(kind, path, earlier)
      expect(await judged(path, { ...withKey, checkpoints: [kept] })).toEqual({
        codes: ['TRUNCATED@-'],
        verdict: 'broken',
      })
      expect(await judged(path, { ...withKey, checkpoints: [earlier] })).toEqual(fine('anchored'))
    })

    it('leaves a tail behind an older head, which can be limited', async () => {
      const path = await ledgerOf(kind, DRAFTS.slice(0, 5))
      const earlier = await headIn(path)
      await write(kind, path, DRAFTS.slice(5))
      replaceHead(kind, path, earlier)
      expect((await judged(path, withKey)).codes).toEqual([])
      expect(await judged(path, { ...withKey, maxTail: 2 })).toEqual(fine('signed'))
      expect(await judged(path, { ...withKey, maxTail: 1 })).toEqual({ codes: ['TAIL_TOO_LONG@-'], verdict: 'broken' })
    })
  })

  describe('an older copy put back, head included', () => {
    it('passes for whoever holds the key alone, and is found with a checkpoint or a receipt kept elsewhere', async () => {
      const path = await ledgerOf(kind, DRAFTS.slice(0, 5))
      const putBack = backUp(path)
      await write(kind, path, DRAFTS.slice(5))
      const checkpoint = await headIn(path)
      const receipt = await receiptOf(path, last.request_id)
      for (const kept of [{ checkpoints: [checkpoint] }, { receipts: [receipt] }])
        expect(await judged(path, { ...withKey, ...kept })).toEqual(fine('anchored'))
      putBack()
      // Signatures do not reveal this attack, because the restored ledger was valid at an earlier time. The report
      // names this risk.
      expect(await judged(path, withKey)).toEqual(fine('signed'))
      for (const kept of [{ checkpoints: [checkpoint] }, { receipts: [receipt] }]) {
        const { codes, verdict } = await judged(path, { ...withKey, ...kept })
        expect(codes).toContain('TRUNCATED@-')
        expect(verdict).toBe('broken')
      }
      expect((await judged(path, { ...withKey, require: 'anchored' })).codes).toEqual(['REQUIREMENT_NOT_MET@-'])
    })

    it('and written on: the fork is found with a checkpoint kept elsewhere', async () => {
      const path = await ledgerOf(kind, DRAFTS.slice(0, 5))
      const putBack = backUp(path)
      await write(kind, path, DRAFTS.slice(5))
      const checkpoint = await headIn(path)
      putBack()
      await write(kind, path, [decisionDraft(7), decisionDraft(8), decisionDraft(9)])
      expect(await judged(path, withKey)).toEqual(fine('signed'))
      const { codes, verdict } = await judged(path, { ...withKey, checkpoints: [checkpoint] })
      expect(codes).toEqual(['INCONSISTENT@-'])
      expect(verdict).toBe('broken')
    })
  })

  describe('everything rewritten with the key', () => {
    // The genesis and the origin are the same, but one call has a different agent. The ledger alone does not reveal
    // the change.
    const [one, ...rest] = DRAFTS
    const [, ...later] = rest
    const rewritten = [one, rest[0]]
      .map((draft): EntryDraft => ({ ...(draft as EntryDraft), agent_id: 'another-bot' }))
      .concat(later)

    it('passes for whoever holds the key alone, and is found with an earlier checkpoint', async () => {
      const checkpoint = await headIn(await honest(kind))
      const path = await ledgerOf(kind, rewritten)
      expect(await judged(path, withKey)).toEqual(fine('signed'))
      expect(await judged(path, { ...withKey, checkpoints: [checkpoint] })).toEqual({
        codes: ['INCONSISTENT@-'],
        verdict: 'broken',
      })
    })

    it('is found with a receipt', async () => {
      const receipt = await receiptOf(await honest(kind), paid.request_id)
      const path = await ledgerOf(kind, rewritten)
      const { codes, verdict } = await judged(path, { ...withKey, receipts: [receipt] })
      expect(codes).toContain('INCONSISTENT@-')
      expect(verdict).toBe('broken')
    })

    it('is found with witnesses: none of them cosigned it', async () => {
      const witnesses = [1, 2, 3].map(testWitness)
      const policy = [
        ...witnesses.map(({ name, vkey }) => `witness ${name} ${vkey}`),
        `group two-of-three 2 ${witnesses.map(({ name }) => name).join(' ')}`,
        'quorum two-of-three',
        '',
      ].join('\n')
      const options = { ...withKey, witnessPolicy: parseWitnessPolicy(policy) }
      const path = await honest(kind)
      expect(await judged(path, options)).toEqual({ codes: ['WITNESS_QUORUM_MISSING@-'], verdict: 'broken' })
      keepCosigned(path, await cosigned(await headIn(path), witnesses.slice(0, 1)))
      expect(await judged(path, options)).toEqual({ codes: ['WITNESS_QUORUM_MISSING@-'], verdict: 'broken' })
      const note = await cosigned(await headIn(path), witnesses.slice(0, 2))
      keepCosigned(path, note)
      expect(await judged(path, options)).toEqual(fine('witnessed'))

      const forged = await ledgerOf(kind, rewritten)
      expect((await judged(forged, options)).codes).toEqual(['WITNESS_QUORUM_MISSING@-'])
      // If the attacker adds the cosigned checkpoint of the valid ledger, this checkpoint reveals the forgery.
      keepCosigned(forged, note)
      const { codes, verdict } = await judged(forged, options)
      expect(codes).toEqual(expect.arrayContaining(['INCONSISTENT@-', 'WITNESS_QUORUM_MISSING@-']))
      expect(verdict).toBe('broken')
    })
  })

  it('the ledger deleted, or emptied: never ok', async () => {
    const path = await honest(kind)
    replaceLines(kind, path, [])
    const { codes, verdict } = await judged(path, withKey)
    expect(codes).toEqual(expect.arrayContaining(['TRUNCATED@-']))
    expect(verdict).toBe('broken')
    rmSync(path)
    expect(await refusalOf(() => openLedgerReader(path))).toBe('LEDGER_NOT_FOUND')
    const empty = await ledgerOf(kind, [])
    expect(await judged(empty, withKey)).toEqual({ codes: ['LEDGER_EMPTY@-'], verdict: 'broken' })
  })

  describe('calls that were not allowed, by somebody with the key', () => {
    const other = decisionDraft(5)
    it.each<[string, readonly EntryDraft[], string]>([
      ['run after a deny', [refused, outcomeDraft(refused)], 'OUTCOME_AFTER_DENY@3'],
      ['two outcomes', [paid, outcomeDraft(paid), outcomeDraft(paid)], 'OUTCOME_DUPLICATE@4'],
      ['an outcome without a decision', [paid, outcomeDraft(other)], 'DECISION_UNKNOWN@3'],
      [
        'the outcome of another call',
        [paid, { ...outcomeDraft(paid), request_id: other.request_id }],
        'REQUEST_ID_MISMATCH@3',
      ],
      ['an approval used for another call', [{ ...other, approval: approvalOf(asked) }], 'APPROVAL_BINDING_MISMATCH@2'],
      ['an approval used twice', [approved, { ...other, approval: approvalOf(other) }], 'APPROVAL_REUSED@3'],
      [
        'an approval without its times',
        [{ ...other, approval: approvalOf(other, { resolved_at: null }) }],
        'APPROVAL_INCOMPLETE@2',
      ],
      ['an outcome of another agent', [paid, { ...outcomeDraft(paid), agent_id: 'eve' }], 'DECISION_HASH_MISMATCH@3'],
      ['an outcome of another action', [paid, { ...outcomeDraft(paid), action: 'wire' }], 'DECISION_HASH_MISMATCH@3'],
      ['a decision recorded twice', [paid, paid], 'DECISION_DUPLICATE@3'],
    ])('%s', async (_, drafts, code) => {
      expect(await judged(await ledgerOf(kind, drafts), withKey)).toEqual({ codes: [code], verdict: 'broken' })
    })

    it('an approval used late', async () => {
      const path = await ledgerOf(kind, [paid])
      const earlier = await headIn(path)
      await write(kind, path, [approved])
      expect(await judged(path, withKey)).toEqual(fine('signed'))
      const entries = entriesOf(await linesIn(path)).map((entry, n) =>
        n === 2 ? { ...entry, recorded_at: '2026-01-02T04:00:00.000000Z' } : entry,
      )
      replaceLines(
        kind,
        path,
        sealAll(entries, () => OWNER),
      )
      replaceHead(kind, path, earlier)
      expect((await judged(path, withKey)).codes).toEqual(['APPROVAL_EXPIRED@3'])
      const late = () => new Date(Date.UTC(2026, 0, 2, 4))
      expect(await refusalOf(() => ledgerOf(kind, [approved], { clock: late }))).toBe('ENTRY_REFUSED')
    })

    it('a call without outcome is open, and can be asked for', async () => {
      const path = await ledgerOf(kind, [paid])
      expect(await judged(path, withKey)).toEqual(fine('signed'))
      expect((await judged(path, { ...withKey, requireOutcomes: true })).codes).toEqual(['OUTCOME_MISSING@-'])
    })
  })

  describe('the head', () => {
    it.each<[string, (head: string) => string, string[]]>([
      ['half written', (head) => head.slice(0, head.length / 2), ['CHECKPOINT_INVALID@-']],
      ['no text', () => '\u0000\u0001', ['CHECKPOINT_INVALID@-']],
      ['with CRLF', (head) => head.replaceAll('\n', '\r\n'), ['CHECKPOINT_INVALID@-']],
      ['without its last line feed', (head) => head.slice(0, -1), ['CHECKPOINT_INVALID@-']],
      [
        'of another log',
        (head) => head.replaceAll('example.com/agents', 'example.com/others'),
        ['CHECKPOINT_INVALID@-'],
      ],
      ['whose signature was taken off', (head) => head.slice(0, head.indexOf('\n\n') + 1), ['SIGNATURE_MISSING@-']],
    ])('%s', async (_, change, codes) => {
      const path = await honest(kind)
      replaceHead(kind, path, change(await headIn(path)))
      expect(await judged(path, withKey)).toEqual({ codes, verdict: 'broken' })
    })

    it('of another ledger with the same key and origin', async () => {
      const path = await honest(kind)
      const other = await ledgerOf(kind, DRAFTS, { generateId: () => 'another ledger' })
      replaceHead(kind, path, await headIn(other))
      expect((await judged(path, withKey)).codes).toEqual(['ROOT_MISMATCH@-'])
    })
  })

  describe('keys', () => {
    const next = testSigner(2)
    const NEXT_KEY = testKey(2).publicKey

    it('rotated as they should be: the first key vouches for the second', async () => {
      const path = await rotated(kind)
      expect(await judged(path, withKey)).toEqual(fine('signed'))
      expect(await judged(path, { publicKeys: [OWNER_KEY, NEXT_KEY] })).toEqual(fine('signed'))
      // The second key does not cover entries before it was added.
      expect((await judged(path, { publicKeys: [NEXT_KEY] })).codes).toContain('KEY_UNKNOWN@1')
    })

    it('used after it was retired', async () => {
      const path = await rotated(kind)
      const entries = entriesOf(await linesIn(path))
      const extra: Entry = { ...(entries.at(-1) as Entry), request_id: 'one more', key_id: OWNER.keyId }
      const signerOf = (n: number) => (n === entries.length || entries[n]?.key_id === OWNER.keyId ? OWNER : next)
      replaceLines(kind, path, sealAll([...entries, extra], signerOf))
      expect((await judged(path, withKey)).codes).toContain(`KEY_RETIRED@${entries.length + 1}`)
    })

    it('let in by nobody: a key_added that the attacker signs himself', async () => {
      const path = await rotated(kind)
      const entries = entriesOf(await linesIn(path))
      const forged = entries.map((entry) => (entry.key_id === OWNER.keyId ? entry : { ...entry, key_id: next.keyId }))
      const from = forged.findIndex(({ checkpoint }) => (checkpoint as Entry | undefined)?.kind === 'key_added')
      forged[from] = { ...(forged[from] as Entry), key_id: next.keyId }
      replaceLines(
        kind,
        path,
        sealAll(forged, (n) => (forged[n]?.key_id === next.keyId ? next : OWNER)),
      )
      const { codes, verdict } = await judged(path, withKey)
      expect(codes).toEqual(expect.arrayContaining([`CONTROL_INVALID@${from + 1}`, `KEY_UNKNOWN@${from + 1}`]))
      expect(verdict).toBe('broken')
    })

    it('entries behind the one that closed the ledger', async () => {
      const path = await ledgerOf(kind, [paid, outcomeDraft(paid)])
      await withWriter(kind, path, {}, (ledger) => ledger.seal())
      expect(await judged(path, withKey)).toEqual(fine('signed'))
      const entries = entriesOf(await linesIn(path))
      const extra = { ...(entries[1] as Entry), request_id: 'one more' }
      replaceLines(
        kind,
        path,
        sealAll([...entries, extra], () => OWNER),
      )
      expect((await judged(path, withKey)).codes).toContain(`ENTRY_AFTER_CLOSED@${entries.length + 1}`)
    })

    async function rotated(store: Kind): Promise<string> {
      const path = await ledgerOf(store, DRAFTS.slice(0, 2))
      await withWriter(store, path, {}, (ledger) => ledger.addKey(next))
      await withWriter(store, path, { signer: next }, (ledger) => ledger.retireKey(OWNER.keyId))
      await write(store, path, DRAFTS.slice(2), { signer: next })
      return path
    }
  })
})

async function receiptOf(path: string, requestId: string): Promise<string> {
  const reader = await openLedgerReader(path)
  try {
    return (await makeReceipt(reader, { requestId })).text
  } finally {
    await reader.close()
  }
}

function withSignature(line: string, signature: unknown): string {
  const entry = JSON.parse(line) as Entry
  return encodeCanonical({ ...entry, entry_signature: signature })
}
