import type { ApprovalRecord } from '@sudoagent/core'
import { describe, expect, it } from 'vitest'
import { renderApprovals } from '../../src/text/approval-list.js'

const now = new Date(0)
const record = (approvalId: string, over: Partial<ApprovalRecord> = {}): ApprovalRecord =>
  ({
    approvalId,
    action: 'payments.refund_to_customer',
    agentId: 'support-bot',
    args: [],
    kwargs: { amount: 500, to: 'A-1' },
    state: 'pending',
    consumedAt: null,
    leasedUntil: null,
    createdAt: now,
    expiresAt: new Date(300_000),
    ...over,
  }) as ApprovalRecord

const ONE = '083a0f8c-664e-4692-9c0d-fb611024f7a4'
const TWO = 'f2b1c0de-664e-4692-9c0d-fb611024f7a4'
const alice = { on_behalf_of: { id: 'alice', type: 'user', assurance: 'asserted' }, tenant: 'acme' } as const
const RECORDS = [
  record(ONE),
  record(TWO, { state: 'approved', consumedAt: now, action: 'read_calendar', args: [1], kwargs: {} }),
]
const FOR_ALICE = [record(ONE, { authority: alice }), ...RECORDS.slice(1)]
const linesOf = (records: readonly ApprovalRecord[], columns: number | undefined) =>
  renderApprovals(records, now, columns).split('\n')

describe('the list', () => {
  it('begins with what would be done; in a pipe, ids are whole', () => {
    expect(linesOf(FOR_ALICE, undefined)).toEqual([
      'ACTION                       ARGUMENTS                  FOR           AGENT        STATE                ID',
      `payments.refund_to_customer  {"amount":500,"to":"A-1"}  alice (acme)  support-bot  pending  300 s left  ${ONE}`,
      `read_calendar                [1]                                      support-bot  used                 ${TWO}`,
      '',
    ])
  })

  it('has one line for each on a terminal of 80 columns', () => {
    expect(linesOf(FOR_ALICE, 80)).toEqual([
      'ACTION                     ARGUMENTS             FOR           STATE    ID',
      'payments.refund_to_custo…  {"amount":500,"to":…  alice (acme)  pending  083a0f8c',
      'read_calendar              [1]                                 used     f2b1c0de',
      '',
    ])
    for (const line of linesOf(RECORDS, 80)) expect(line.length).toBeLessThanOrEqual(80)
  })

  it('has a block for each on one of 40', () => {
    expect(linesOf(FOR_ALICE, 40)).toEqual([
      'payments.refund_to_customer',
      '  {"amount":500,"to":"A-1"}',
      '  for alice (acme)',
      '  083a0f8c, pending, 300 s left, suppor…',
      'read_calendar',
      '  [1]',
      '  f2b1c0de, used, support-bot',
      '',
    ])
  })

  it('shows as much of an id as tells it from the others', () => {
    const alike = [record(ONE), record(`${ONE.slice(0, 12)}x`)]
    expect(renderApprovals(alike, now, 80)).toContain(`${ONE.slice(0, 13)}\n`)
    expect(renderApprovals([record('r1'), record('r1')], now, 80)).toContain('r1\n')
  })

  it('keeps action and arguments, however long the rest is', () => {
    const long = record(ONE, {
      agentId: 'a'.repeat(200),
      authority: { tenant: 't'.repeat(256) },
      kwargs: { note: 'x'.repeat(10_000) },
    })
    for (const columns of [40, 72, 80, 120, undefined]) {
      const text = renderApprovals([long], now, columns)
      expect(text).toContain('payments.refund')
      expect(text).toContain('{"note":"')
      for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(columns ?? 500)
    }
  })

  it('neutralises every text', () => {
    const evil = '\u001b[2J\u202e\n'
    const hostile = record(evil, {
      action: evil,
      agentId: evil,
      kwargs: { [evil]: evil },
      authority: { session: evil },
    })
    for (const columns of [40, 80, undefined])
      expect(renderApprovals([hostile], now, columns)).not.toMatch(/[^\P{Cc}\n]|\p{Cf}/u)
  })
})
