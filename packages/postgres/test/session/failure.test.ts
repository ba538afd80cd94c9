// Tests that each failure becomes an error with one code, a message of one line, and a hint. All these failures were
// observed with a real server.
import { LedgerError } from '@sudoagent/ledger'
import { expect, it } from 'vitest'
import { asLedgerError, isTransient, sqlState } from '../../src/session/failure.js'

const failure = (message: string, more: object = {}): Error => Object.assign(new Error(message), more)
const refused = (code: string, message = 'no'): Error => failure(message, { code, severity: 'FATAL' })

it.each([
  ['28P01', refused('28P01'), 'LEDGER_NOT_READABLE', /password is wrong or missing/, /PGPASSWORD/],
  ['a lock timeout', refused('55P03'), 'LEDGER_BUSY', /locked by another writer/, /try again/],
  [
    '57P03',
    refused('57P03', 'not yet accepting connections'),
    'LEDGER_WRITE_FAILED',
    /cannot be reached: not yet/,
    /running/,
  ],
  ['57P01', refused('57P01', 'terminating connection'), 'LEDGER_WRITE_FAILED', /cannot be reached: term/, /running/],
  ['another refusal', refused('XX000', 'oops'), 'LEDGER_WRITE_FAILED', /failed: oops/, /server log/],
  [
    'no way',
    failure('', { code: 'ECONNREFUSED' }),
    'LEDGER_WRITE_FAILED',
    /cannot be reached: ECONNREFUSED/,
    /running/,
  ],
  [
    'an unknown authority',
    failure('x', { code: 'SELF_SIGNED_CERT_IN_CHAIN' }),
    'LEDGER_WRITE_FAILED',
    /rejected: x/,
    /sslrootcert/,
  ],
  [
    'another name',
    failure('x', { code: 'ERR_TLS_CERT_ALTNAME_INVALID' }),
    'LEDGER_WRITE_FAILED',
    /rejected: x/,
    /use the host name/,
  ],
])('%s', (_, error, code, says, hint) => {
  const made = asLedgerError(error, 'postgres://db/x', 'LEDGER_WRITE_FAILED')
  expect([made.code, made.message]).toEqual([code, expect.stringMatching(says)])
  expect(made.message).toMatch(/^`postgres:\/\/db\/x` [^\n]+$/)
  if (hint === null) expect(made.hint).toBeUndefined()
  else expect(made.hint).toMatch(hint)
})

it('what is a LedgerError already stays as it is, and what is no error at all is said, too', () => {
  const already = new LedgerError('LEDGER_DAMAGED', 'it is')
  expect(asLedgerError(already, 'x', 'LEDGER_BUSY')).toBe(already)
  expect(asLedgerError(undefined, 'x', 'LEDGER_BUSY').message).toBe('`x` cannot be reached: undefined')
})

it('only the server itself gives an SQLSTATE', () => {
  expect([refused('40001'), failure('EPIPE', { code: 'EPIPE' }), 'x'].map(sqlState)).toEqual(['40001', null, null])
  expect([refused('40P01'), refused('55P03'), failure('40001', { code: '40001' })].map(isTransient)).toEqual([
    true,
    false,
    false,
  ])
})
