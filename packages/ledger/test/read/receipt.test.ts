import { join } from 'node:path'
import { parseReceipt, verifyProofOf, verifyReceipt } from '@sudoagent/crypto/receipt'
import { describe, expect, it } from 'vitest'
import { makeReceipt, type ReceiptOptions } from '../../src/read/receipt.js'
import { keepCosigned } from '../../src/store/keep-cosigned.js'
import { openLedgerReader } from '../../src/store/open.js'
import {
  cosigned,
  headIn,
  KINDS,
  ledgerOf,
  linesIn,
  OWNER_KEY,
  replaceLines,
  testWitness,
  withWriter,
  write,
} from '../fixtures/attack.js'
import { decisionDraft, outcomeDraft, POLICY_HASH, requestIdOf } from '../fixtures/draft.js'
import { jsonlOf, sqliteOf, verifyFile } from '../fixtures/ledger-file.js'
import { answerTo, askable, REQUIREMENT } from '../fixtures/question.js'
import { refusalOf } from '../fixtures/refusal.js'
import { writtenLines } from '../fixtures/seal.js'
import { temporaryFolder } from '../fixtures/temporary.js'

const [first, second] = [decisionDraft(1), decisionDraft(2)]
const DRAFTS = [first, outcomeDraft(first), second]
const TRUST = { publicKeys: [OWNER_KEY] }

async function receipt(path: string, key: Parameters<typeof makeReceipt>[1], options?: ReceiptOptions) {
  const reader = await openLedgerReader(path)
  try {
    return await makeReceipt(reader, key, options)
  } finally {
    await reader.close()
  }
}

describe.each(KINDS)('a receipt from %s', (kind) => {
  it('stands alone: decision, outcome and proofs, found by request id or decision hash', async () => {
    const path = await ledgerOf(kind, DRAFTS)
    const made = await receipt(path, { requestId: requestIdOf(1) })
    expect([made.position, made.outcome]).toEqual([2, 3])
    expect(await receipt(path, { decisionHash: first.decision.decision_hash })).toEqual(made)
    expect(verifyReceipt(made.text, TRUST)).toMatchObject({
      ok: true,
      verdict: 'signed',
      position: 2,
      decision: { request_id: requestIdOf(1), policy_hash: POLICY_HASH },
      outcome: { position: 3 },
    })
    const open = await receipt(path, { requestId: requestIdOf(2) })
    expect([open.position, open.outcome]).toEqual([4, null])
    expect(verifyReceipt(open.text, TRUST)).toMatchObject({ ok: true, outcome: null })
  })

  it('may leave the content out, and gives its proof alone', async () => {
    const path = await ledgerOf(kind, DRAFTS)
    const { text, proof } = await receipt(path, { requestId: requestIdOf(1) }, { withEntry: false })
    expect(text).not.toContain('payments.refund')
    expect(verifyReceipt(text, TRUST)).toMatchObject({ ok: true, decision: null })
    expect(verifyProofOf(parseReceipt(text).entry_hash, proof ?? '', TRUST).position).toBe(2)
  })

  it('goes on holding when the ledger has grown', async () => {
    const path = await ledgerOf(kind, DRAFTS)
    const early = await receipt(path, { requestId: requestIdOf(1) })
    await write(
      kind,
      path,
      Array.from({ length: 300 }, (_, n) => decisionDraft(n + 10)),
    )
    const late = await receipt(path, { requestId: requestIdOf(1) })
    expect(late.text).not.toBe(early.text)
    for (const { text } of [early, late]) expect(verifyReceipt(text, TRUST).ok).toBe(true)
  })

  it('leads to the cosigned checkpoint where that covers the entry', async () => {
    const path = await ledgerOf(kind, DRAFTS.slice(0, 2))
    const witness = testWitness(1)
    expect(keepCosigned(path, await cosigned(await headIn(path), [witness]))).toBe(true)
    const older = await headIn(path)
    await write(kind, path, [second])
    expect((await receipt(path, { requestId: requestIdOf(1) })).proof).toContain(witness.name)
    expect((await receipt(path, { requestId: requestIdOf(2) })).proof).not.toContain(witness.name)
    // A later cosigned checkpoint replaces the stored checkpoint, but an older cosigned checkpoint does not.
    expect(keepCosigned(path, await cosigned(await headIn(path), [witness]))).toBe(true)
    expect(keepCosigned(path, await cosigned(older, [witness]))).toBe(false)
    expect((await receipt(path, { requestId: requestIdOf(2) })).proof).toContain(witness.name)
  })

  it('is not made of a ledger whose entries do not lead to its head', async () => {
    const path = await ledgerOf(kind, DRAFTS)
    const [genesis = '', ...rest] = await linesIn(path)
    replaceLines(kind, path, [genesis, ...(await writtenLines([first])), ...rest.slice(1)])
    expect(await refusalOf(() => receipt(path, { requestId: requestIdOf(1) }))).toBe('LEDGER_DAMAGED')
  })

  it('has no proof where nobody signs', async () => {
    const path = await ledgerOf(kind, DRAFTS, { signer: undefined as never })
    const { text, proof } = await receipt(path, { requestId: requestIdOf(2) })
    expect([proof, parseReceipt(text).entry_signature]).toEqual([null, null])
    expect(verifyReceipt(text, TRUST)).toMatchObject({ ok: false, findings: [{ code: 'PROOF_MISSING' }] })
  })
})

describe.each(KINDS)('a receipt of a position in %s', (kind) => {
  const calls = [askable(1), askable(2)] as const

  /** Entries: 1 genesis, 2 question, 3 its decision, 4 outcome, 5 question without a decision, 6 stop, 7 its end. */
  async function ledgerWithControls(): Promise<string> {
    const path = join(temporaryFolder(), `ledger.${kind}`)
    await withWriter(kind, path, {}, async (ledger) => {
      const asked = await ledger.ask(calls[0].question)
      await ledger.append(answerTo(calls[0].decision, asked))
      await ledger.append(outcomeDraft(calls[0].decision))
      await ledger.ask(calls[1].question)
      const { stopId } = await ledger.stop({ agent: 'support-*' }, { reason: 'wrong prices', by: 'alice' })
      await ledger.resume(stopId, { reason: 'fixed', by: 'bob' })
    })
    return path
  }

  it('is that of the control entry, or of the call', async () => {
    const path = await ledgerWithControls()
    const ofCall = await receipt(path, { requestId: requestIdOf(1) })
    expect([ofCall.position, ofCall.outcome]).toEqual([3, 4])
    expect(verifyReceipt(ofCall.text, TRUST).decision?.approval).toMatchObject({
      requirement: REQUIREMENT,
      redacted: 0,
    })
    for (const position of [3, 4]) expect(await receipt(path, { position })).toEqual(ofCall)
    const shown: unknown[] = []
    for (const position of [1, 2, 5, 6, 7]) {
      const made = await receipt(path, { position })
      expect([made.position, made.outcome]).toEqual([position, null])
      const { ok, verdict, control, position: at } = verifyReceipt(made.text, TRUST)
      expect({ ok, verdict, at }).toEqual({ ok: true, verdict: 'signed', at: position })
      shown.push(control?.kind, control?.block?.kind)
      expect(verifyProofOf(parseReceipt(made.text).entry_hash, made.proof ?? '', TRUST).position).toBe(position)
    }
    expect(shown).toEqual([
      ...['genesis', undefined],
      ...['asked', 'asked'],
      ...['asked', 'asked'],
      ...['stop', 'stop'],
      ...['resume', 'resume'],
    ])
  })

  it('is evidence about the ledger, like any other receipt', async () => {
    const path = await ledgerWithControls()
    const { text } = await receipt(path, { position: 6 })
    const options = { ...TRUST, receipts: [text] }
    expect(await verifyFile(path, options)).toMatchObject({ ok: true, verdict: 'anchored', anchors: [{ position: 6 }] })
    const other = await ledgerOf(kind, DRAFTS)
    expect((await verifyFile(other, options)).ok).toBe(false)
    const { position: _, ...broken } = JSON.parse(text)
    const report = await verifyFile(path, { ...TRUST, receipts: [JSON.stringify({ ...broken, ledger_position: 5 })] })
    expect(report.findings.map(({ code }) => code)).toEqual(['CHECKPOINT_INVALID'])
  })

  it('may leave the content out', async () => {
    const { text } = await receipt(await ledgerWithControls(), { position: 6 }, { withEntry: false })
    expect(text).not.toContain('wrong prices')
    expect(verifyReceipt(text, TRUST)).toMatchObject({ ok: true, control: null, unproven: ['event'] })
  })

  it('is not made where nothing is, and points to the question of a call without a decision', async () => {
    const path = await ledgerWithControls()
    expect(await refusalOf(() => receipt(path, { position: 8 }))).toBe('ENTRY_NOT_FOUND')
    await expect(receipt(path, { requestId: requestIdOf(2) })).rejects.toMatchObject({
      code: 'ENTRY_NOT_FOUND',
      hint: expect.stringContaining('entry 5 is its question'),
    })
  })
})

describe('makeReceipt', () => {
  it('works on ledgers that are older than heads', async () => {
    const lines = await writtenLines(DRAFTS)
    for (const path of [jsonlOf(lines), sqliteOf(lines)])
      expect(await receipt(path, { requestId: requestIdOf(2) })).toMatchObject({ position: 3, proof: null })
  })

  it.each<[string, Parameters<typeof makeReceipt>[1]]>([
    ['another request', { requestId: 'nobody' }],
    ['another hash', { decisionHash: '0'.repeat(64) }],
    ['a text that is no hash', { decisionHash: 'payments' }],
    // The text occurs in the entry, but is not its decision hash.
    ['the hash of something else in the entry', { decisionHash: POLICY_HASH }],
  ])('does not make one of %s', async (_, key) => {
    const path = await ledgerOf('sqlite', DRAFTS)
    expect(await refusalOf(() => receipt(path, key))).toBe('ENTRY_NOT_FOUND')
  })

  it('does not make one of an outcome alone', async () => {
    const path = jsonlOf((await writtenLines(DRAFTS)).slice(1, 2))
    expect(await refusalOf(() => receipt(path, { requestId: requestIdOf(1) }))).toBe('ENTRY_NOT_FOUND')
  })
})
