import { LEASE_MS } from './approval.js'
import { isQuestion, type QuestionRow } from './question-row.js'
import { type ApprovalRow, UNLEASED } from './row.js'
import { rowAt } from './transition.js'

/**
 * Implements the leases of questions as pure functions on rows. A question has at most one waiter, the engine that
 * waits for the answer, so that two equal calls do not share one approval:
 *
 *     lease q1, engine A, 0 s     A waits until 10 s
 *     lease q1, engine B, 9 s     refused
 *     renew        A,     9 s     A waits until 19 s
 *     lease q1, engine B, 19 s    A has stopped: B waits until 29 s
 *     renew        A,     20 s    q1 stays with B
 */

/** @returns the row with the lease; null if the row is not an open question, or a different holder waits for it */
export function leasedRow(stored: ApprovalRow | undefined, holder: string, nowMs: number): QuestionRow | null {
  if (stored === undefined || !isQuestion(stored) || !isOpen(stored, nowMs)) return null
  const { leaseHolder, leasedUntilMs } = stored
  if (leaseHolder !== holder && leasedUntilMs !== null && nowMs < leasedUntilMs) return null
  return { ...stored, leaseHolder: holder, leasedUntilMs: leaseEndMs(nowMs) }
}

/** @returns the row without the lease; null if `holder` does not have a lease of the row */
export function unleasedRow(stored: ApprovalRow | undefined, holder: string): QuestionRow | null {
  if (stored === undefined || !isQuestion(stored) || stored.leaseHolder !== holder) return null
  return { ...stored, ...UNLEASED }
}

/** Whether the question can still have a waiter. */
export function isOpen(row: QuestionRow, nowMs: number): boolean {
  const { state, consumedAtMs } = rowAt(row, nowMs)
  return state === 'pending' || (state === 'approved' && consumedAtMs === null)
}

export const leaseEndMs = (nowMs: number): number => nowMs + LEASE_MS
