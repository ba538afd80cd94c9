import type { ApprovalRecord } from '@sudoagent/core'
import { expect, it } from 'vitest'
import { renderApprovals } from '../../src/text/approval-text.js'

const now = new Date(0)
const record = (approvalId: string, over: Partial<ApprovalRecord> = {}): ApprovalRecord =>
  ({
    approvalId,
    action: 'payments.refund_to_customer',
    agentId: 'support-bot',
    state: 'pending',
    consumedAt: null,
    createdAt: now,
    expiresAt: new Date(300_000),
    ...over,
  }) as ApprovalRecord

const ONE = '083a0f8c-664e-4692-9c0d-fb611024f7a4'
const TWO = 'f2b1c0de-664e-4692-9c0d-fb611024f7a4'
const RECORDS = [record(ONE), record(TWO, { state: 'approved', consumedAt: now, action: 'read_calendar' })]

it('shows whole ids in a pipe', () => {
  expect(renderApprovals(RECORDS, now, undefined)).toContain(
    `${ONE}  pending  300 s left  support-bot  payments.refund`,
  )
})

it('shows actions rather than ids on a terminal of 80 columns', () => {
  expect(renderApprovals(RECORDS, now, 80).split('\n')).toEqual([
    'ID        STATE                AGENT        ACTION',
    '083a0f8c  pending  300 s left  support-bot  payments.refund_to_customer',
    'f2b1c0de  used                 support-bot  read_calendar',
    '',
  ])
})

it('shows them on one of 40, too', () => {
  expect(renderApprovals(RECORDS, now, 40).split('\n')).toEqual([
    'ID        STATE    ACTION',
    '083a0f8c  pending  payments.refund_to_c…',
    'f2b1c0de  used     read_calendar',
    '',
  ])
})

it('shows as much of an id as tells it from the others', () => {
  const alike = [record(ONE), record(`${ONE.slice(0, 12)}x`)]
  expect(renderApprovals(alike, now, 80)).toContain(`${ONE.slice(0, 13)}  pending`)
  expect(renderApprovals([record('r1'), record('r1')], now, 80)).toContain('r1')
})

it('cuts an endless agent, so that the action stays', () => {
  expect(renderApprovals([record(ONE, { agentId: 'a'.repeat(200) })], now, 80)).toContain('payments.refund')
})
