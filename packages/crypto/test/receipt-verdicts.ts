import { expect } from 'vitest'
import { type ReceiptReport, verifyReceipt } from '../src/receipt-report.js'
import { KEY } from './receipts.js'

export const TRUST = { publicKeys: [KEY.publicKey] }
/** The report of a receipt that holds. */
export const verified = (text: string, trust: Parameters<typeof verifyReceipt>[1] = TRUST): ReceiptReport => {
  const report = verifyReceipt(text, trust)
  expect(report.findings).toEqual([])
  expect(report.ok).toBe(true)
  return report
}

/** The codes of the findings. Also proves that nothing unverified is handed out. */
export const broken = (text: string, trust: Parameters<typeof verifyReceipt>[1] = TRUST): string[] => {
  const { ok, verdict, findings, decision, outcome } = verifyReceipt(text, trust)
  const expected = findings.every(({ code }) => code === 'KEY_UNKNOWN') ? 'unverified' : 'broken'
  expect({ ok, verdict, decision, outcome }).toEqual({ ok: false, verdict: expected, decision: null, outcome: null })
  for (const { message, hint = 'x' } of findings) {
    expect(message).toMatch(/^[a-z][^\n]+[^.\n]$/)
    expect(hint).toMatch(/^[^\n]*[^.\n]$/)
  }
  return findings.map(({ code }) => code)
}

/** A receipt after a change to its members. */
export const changed = (receipt: string, change: (members: Members) => unknown): string => {
  const members = JSON.parse(receipt) as Members
  change(members)
  return JSON.stringify(members)
}
/** A receipt as JSON.parse gives it. */
export type Members = Record<string, unknown> & { entry: Record<string, unknown>; outcome: Record<string, unknown> }
