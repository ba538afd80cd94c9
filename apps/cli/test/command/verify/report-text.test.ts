import { createSigner, generatePrivateKey } from '@sudoagent/crypto'
import { type Report, verify } from '@sudoagent/ledger'
import { MemoryLedger } from '@sudoagent/ledger/memory'
import { describe, expect, it } from 'vitest'
import { hintsOf, renderFindings, renderReport } from '../../../src/command/verify/report-text.js'
import { painter } from '../../../src/text/paint.js'
import { manyCalls, SAMPLE } from '../../support/ledger.js'

const key = generatePrivateKey()
const paint = await painter(false)

async function report({ signed = false, keyGiven = false, drafts = SAMPLE } = {}): Promise<Report> {
  const ledger = new MemoryLedger(signed ? { signer: createSigner(key) } : {})
  await Promise.all(drafts.map((draft) => ledger.append(draft)))
  return verify(ledger.reader(), keyGiven ? { publicKeys: [key.publicKey] } : {})
}

const text = (of: Report): string => renderReport(of, { ledger: 'l\u001b.jsonl', kind: 'jsonl' }, paint)

describe('renderReport', () => {
  it('tells the verdict first, then what it rests on, then what it leaves open', async () => {
    const is = await report()
    const lines = text(is).split('\n')
    expect(lines[0]).toMatch(/^intact: /)
    expect(lines).toContain('entries     11 (6 decisions, 4 outcomes, 1 open)')
    expect(lines).toContain(`head        ${is.head.entry_hash} at entry 11`)
    expect(lines.filter((line) => line.startsWith('- ')).length).toBeGreaterThan(0)
  })

  it('names the key that everything is signed by', async () => {
    const is = text(await report({ signed: true, keyGiven: true }))
    expect(is).toMatch(/^signed: /)
    expect(is).toContain(`11 of 11 entries, by key ${key.publicKey.keyId}`)
  })

  it('claims nothing about signatures that were not checked, and says how to check them', async () => {
    const is = await report({ signed: true })
    expect(text(is)).toContain(`11 of 11 entries, naming key ${key.publicKey.keyId}; give a public key`)
    expect(hintsOf(is).join()).toContain('--public-key')
    expect(hintsOf(await report())).toEqual([])
    expect(hintsOf(await report({ signed: true, keyGiven: true }))).toEqual([])
  })

  it('says of a broken ledger how much is wrong and where it starts, and promises nothing', async () => {
    const is = text(await report({ keyGiven: true }))
    expect(is).toMatch(/^broken: 11 findings, the first at entry 1;/)
    expect(is).not.toContain('rule out')
  })

  it('says when the checkpoint covers more entries than the ledger has', async () => {
    const is = { ...(await report()), checkpoint: { size: 19, signed_by: [] }, tail: 11 }
    expect(text(is)).toContain('checkpoint  of 19 entries, not signed; the ledger has only 11\n')
  })

  it('lists open stops, and says when rules could not be checked', async () => {
    const stop = (n: number) => ({ stop_id: 'id', position: n, scope: { agent: `a${n}\u202e` }, in_flight: 1 })
    const is = text({ ...(await report()), stops: [1, 2, 3, 4, 5].map(stop), controls_unknown: 2 })
    expect(is).toContain('stopped     agent a1\\u{202e}, since entry 1; 1 call allowed before without an outcome\n')
    expect(is).toContain('stopped     and 2 more stops\n')
    expect(is).not.toContain('agent a4')
    expect(is).toContain('2 control entries have a kind that this release does not know')
  })

  it('says how calls were approved and what became of questions, in one row, where there are any', async () => {
    const is = await report({ drafts: [] })
    const signed = { webauthn: 0, sshsig: 0, ed25519: 0 }
    const row = (asserted: number, redacted: number, open: number, expired: number): string | undefined =>
      text({
        ...is,
        ok: true,
        verdict: 'intact',
        approvals: { signed, asserted, redacted },
        questions: { open, expired },
      })
        .split('\n')
        .find((line) => line.startsWith('approvals'))
    expect(row(0, 0, 0, 0)).toBeUndefined()
    expect(row(3, 0, 0, 0)).toBe('approvals   3 asserted')
    expect(row(3, 1, 0, 0)).toBe('approvals   3 asserted (1 of them with redacted values)')
    expect(row(0, 0, 1, 0)).toBe('approvals   1 question open')
    expect(row(3, 0, 2, 1)).toBe('approvals   3 asserted; 2 questions open; 1 question expired without a decision')
  })

  it('says what asserted approvals leave open', async () => {
    expect(text(await report())).toContain('- that an approver has another name, or was shown another call')
    expect(text(await report({ drafts: manyCalls(1) }))).not.toContain('approver')
    expect(text(await report({ drafts: manyCalls(1) }))).toContain('- that a function ran without an entry')
  })

  it('makes the path safe to print', async () => expect(text(await report())).toContain('l\\u{1b}.jsonl'))
})

describe('renderFindings', () => {
  it('gives each finding a line with its position and code', async () => {
    const lines = renderFindings(await report({ keyGiven: true }))
    expect(lines).toHaveLength(11)
    expect(lines[3]).toEqual({ kind: 'error', text: 'entry 4: entry is not signed (SIGNATURE_MISSING)' })
  })

  it('counts what it does not tell', async () => {
    const lines = renderFindings(await report({ keyGiven: true, drafts: manyCalls(100) }))
    expect(lines).toHaveLength(21)
    expect(lines.at(-1)?.text).toBe('and 181 more findings; --json lists the first 100')
  })

  it('has nothing to say about a sound ledger', async () => expect(renderFindings(await report())).toEqual([]))
})
