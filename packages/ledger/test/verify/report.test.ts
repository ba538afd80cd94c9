import { describe, expect, it } from 'vitest'
import { Findings } from '../../src/entry/finding.js'

describe('Findings', () => {
  it('keeps the first ones and counts all', () => {
    const findings = new Findings(2)
    for (const position of [1, 2, 3]) findings.add({ code: 'CHAIN_BROKEN', position, message: 'm' })
    expect(findings.total).toBe(3)
    expect(findings.list.map(({ position }) => position)).toEqual([1, 2])
  })

  it('keeps 100 unless told', () => {
    const findings = new Findings()
    for (let position = 1; position <= 101; position += 1)
      findings.add({ code: 'CHAIN_BROKEN', position, message: 'm' })
    expect([findings.list.length, findings.total]).toEqual([100, 101])
  })

  it('makes the words of a ledger printable, and leaves out what is not there', () => {
    const findings = new Findings()
    findings.add({ code: 'KEY_UNKNOWN', position: 1, request_id: 'r\u001b', message: 'm\u202e', hint: 'h' })
    findings.add({ code: 'LEDGER_EMPTY', position: null, message: 'm' })
    expect(findings.list).toEqual([
      { code: 'KEY_UNKNOWN', position: 1, request_id: 'r\\u{1b}', message: 'm\\u{202e}', hint: 'h' },
      { code: 'LEDGER_EMPTY', position: null, message: 'm' },
    ])
  })
})
