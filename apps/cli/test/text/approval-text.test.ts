import { expect, it } from 'vitest'
import { questionOf } from '../../../../packages/core/test/fixtures/approval.js'
import { renderApproval, timeLeft } from '../../src/text/approval-text.js'

const OPEN = {
  state: 'pending',
  approverId: null,
  note: null,
  resolvedAt: null,
  consumedAt: null,
  leasedUntil: null,
} as const
const COMMITMENT = { key_id: '0123456789abcdef', hmac: 'a'.repeat(64) }

/** A question that was asked at the start of the tests, with a value of each kind. */
const question = () => ({
  ...questionOf('q1', {
    authority: {
      on_behalf_of: { id: 'ali\u202ece', type: 'user', assurance: 'asserted' },
      tenant: 'acme',
      delegation: [{ id: 'one' }],
    },
    asked: { redacted: 2, metadata: { ticket: 'T-1\u001b[2J' }, policyVersion: '3', commitment: COMMITMENT },
  }),
  ...OPEN,
})

it('shows first what is redacted, then the arguments, for whom, the rest, and last what no hash covers', () => {
  const record = question()
  expect(renderApproval({ record, equalUse: null }, record.createdAt, undefined).split('\n')).toEqual([
    'redacted  2 values are not shown as the call gets them',
    '',
    'arguments as the policy saw them, secrets removed:',
    '  {',
    '    "amount": 500,',
    '    "note": "broken on arrival"',
    '  }',
    '',
    'action    refund',
    'agent     support-bot',
    'for       user ali\\u{202e}ce, asserted',
    'through   one',
    'tenant    acme',
    'rule      refunds',
    'needs     1 approval',
    'state     pending',
    'asked     2026-01-02T03:04:05.000Z, entry 7',
    'expires   2026-01-02T03:05:05.000Z (in 60 s)',
    'id        q1',
    `policy    ${record.binding.policyHash}`,
    `decision  ${record.binding.decisionHash}`,
    `for whom  ${record.decision?.authorityHash}`,
    `requires  ${record.asked?.requirementHash}`,
    '',
    'not part of what you sign:',
    'reason    high value',
    'policy    refunds, version 3',
    'metadata  {"ticket":"T-1\\\\u001b[2J"}'.replace('\\\\', '\\'),
    '',
  ])
})

it('wraps every row on a terminal of 40 columns', () => {
  const record = question()
  for (const row of renderApproval({ record, equalUse: null }, record.createdAt, 40).split('\n'))
    expect(row.length).toBeLessThan(40)
})

it('says when an equal call of the agent ran, among what no hash covers', () => {
  const record = question()
  const equalUse = new Date(record.createdAt.getTime() - 12_000)
  const rows = renderApproval({ record, equalUse }, record.createdAt, undefined).split('\n')
  expect(rows[rows.indexOf('not part of what you sign:') + 1]).toBe(
    'note      an equal call of this agent ran 12 s ago, at 2026-01-02T03:03:53.000Z',
  )
})

it.each([
  [0, '0 s'],
  [300, '300 s'],
  [600, '10 min'],
  [7_199, '119 min'],
  [7_200, '2 h'],
  [172_800, '2 d'],
  [604_800, '7 d'],
])('of %i seconds, says %s', (seconds, text) => {
  const record = { ...question(), expiresAt: new Date(seconds * 1_000) }
  expect(timeLeft(record, new Date(0))).toBe(text)
})
