import { describe, expect, it } from 'vitest'
import { LedgerError } from '../src/error.js'

describe('LedgerError', () => {
  it('has a code, a hint and a cause', () => {
    const cause = new Error('disk')
    const error = new LedgerError('LEDGER_WRITE_FAILED', '`a` cannot be written', { hint: 'make room', cause })
    expect(error).toBeInstanceOf(Error)
    expect([error.name, error.code, error.message, error.hint, error.cause]).toEqual([
      'LedgerError',
      'LEDGER_WRITE_FAILED',
      '`a` cannot be written',
      'make room',
      cause,
    ])
  })

  it('has neither when none is given', () => {
    const error = new LedgerError('LEDGER_LOCKED', '`a` has another writer')
    expect([error.hint, 'cause' in error]).toEqual([undefined, false])
    expect(new LedgerError('LEDGER_CLOSED', 'the ledger is closed').hint).toBe('open the ledger again')
  })

  it('is one line that is safe to print, whatever a path says', () => {
    expect(new LedgerError('LEDGER_NOT_FOUND', '`a\n\u001b]0;x\u0007` does not exist').message).toBe(
      '`a\\u{a}\\u{1b}]0;x\\u{7}` does not exist',
    )
  })
})
