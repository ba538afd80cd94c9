import { describe, expect, it } from 'vitest'
import type { Report } from '../../src/verify/report.js'
import { residualRisks } from '../../src/verify/residual-risk.js'

const SIGNED: Report = {
  ok: true,
  verdict: 'signed',
  entries: 10,
  decisions: 5,
  outcomes: 4,
  open: 1,
  stops: [],
  questions: { open: 0, expired: 0 },
  approvals: { signed: { webauthn: 0, sshsig: 0, ed25519: 0 }, asserted: 0, redacted: 0 },
  approvers_by: null,
  resumes: { signed: 0, operator: 0 },
  controls_unknown: 0,
  open_calls: [{ position: 9, request_id: 'r' }],
  signed_entries: 10,
  origin: 'example.com/log',
  head: { size: 10, entry_hash: null, root: null },
  checkpoint: { size: 10, signed_by: ['0011223344556677'] },
  tail: 0,
  anchors: [],
  anchored_to: null,
  witnesses: null,
  witnessed_to: null,
  resumed_from: null,
  closed: false,
  first_created_at: null,
  last_created_at: null,
  created_after_recorded: 0,
  read_in_full: 1,
  keys: { in_ledger: [], given: [], active: [], retired: [] },
  findings: [],
  findings_total: 0,
  warnings: [],
}
const ALWAYS = [
  'that the holder of the signing key required less than the policy, left out a refusal, a question or a stop, or recorded an earlier time',
  'that a function ran without an entry, twice, or with other arguments',
]
const ANCHOR = { kind: 'checkpoint', size: 7, position: null, signed_by: [], holds: true } as const
const said = (change: Partial<Report>): string => residualRisks({ ...SIGNED, ...change }).join('\n')

describe('residualRisks', () => {
  it('says nothing of a broken ledger', () => {
    expect(residualRisks({ ...SIGNED, verdict: 'broken', ok: false })).toEqual([])
  })

  it('names for every verdict what it leaves open, less the higher it is', () => {
    expect(said({ verdict: 'intact' })).toContain('every hash recomputed')
    expect(said({})).not.toContain('every hash recomputed')
    expect(said({})).toContain('an older copy was restored')
    expect(said({})).toContain('the holder of the signing key rewrote the ledger')
    const anchored = said({ verdict: 'anchored', anchors: [ANCHOR] })
    expect(anchored).not.toContain('older copy')
    expect(anchored).toContain('rewrote the entries after entry 7')
    const witnessed = { verdict: 'witnessed', anchors: [ANCHOR], witnesses: { size: 10, names: ['w'] } } as const
    expect(residualRisks({ ...SIGNED, ...witnessed })).toEqual(ALWAYS)
  })

  it('says under every verdict what the writer of the ledger can do', () => {
    for (const verdict of ['intact', 'signed', 'anchored', 'witnessed'] as const) {
      const risks = residualRisks({ ...SIGNED, verdict, anchors: verdict === 'anchored' ? [ANCHOR] : [] })
      expect(risks.slice(-ALWAYS.length)).toEqual(ALWAYS)
    }
    expect(said({ verdict: 'intact', signed_entries: 0 })).toContain('that a writer of the ledger required less')
    expect(residualRisks({ ...SIGNED, verdict: 'unverified', ok: false })).toHaveLength(1)
  })

  it('says what an asserted approval leaves open, if there is one', () => {
    expect(said({})).not.toContain('approve')
    const asserted = said({ approvals: { ...SIGNED.approvals, asserted: 1 } })
    expect(asserted).toContain('that an approver has another name, or was shown another call or redacted values')
    expect(asserted).toContain('that the subject of a call, left out or misnamed')
  })

  it('says what no checkpoint and no witness covers', () => {
    expect(said({ tail: 3 })).toContain('some of the last 3 entries were removed')
    const witnesses = { size: 6, names: ['w'] }
    expect(said({ verdict: 'witnessed', witnesses })).toContain('rewrote the last 4 entries, which no witness has seen')
    expect(said({ checkpoint: null })).toContain('that the last entries were removed')
  })

  it('says what a run that began further on has not looked at', () => {
    expect(said({ resumed_from: 8 })).toContain('the text of the first 8 entries')
    expect(said({ resumed_from: 8 })).toContain('a decision of the earlier run was recorded again')
  })
})
