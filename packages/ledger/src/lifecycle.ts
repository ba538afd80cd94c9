// The life of a call on the record, pure: one decision, then at most one outcome, and only after an allow (LEDGER-FORMAT §6).
import type { Hash } from '@sudoagent/crypto'
import type { CallEntry } from './entry.js'
import { APPROVAL_USE_GRACE_MS } from './limits.js'
import type { FindingCode } from './report.js'
import { isTimestamp, timestampMs } from './timestamp.js'

export interface LifecycleProblem {
  readonly code: FindingCode
  readonly message: string
}

/** An allowed call without an outcome. */
export interface OpenCall {
  readonly decisionHash: Hash
  readonly requestId: string
  /** Of its decision. */
  readonly position: number
}

/** What an earlier run knew: the calls that were open behind entry `size`. Of those that were not, nothing. */
export interface KnownCalls {
  readonly size: number
  readonly openCalls: readonly OpenCall[]
}

// What is remembered of a decision: the call when it is open, or one of these two.
const DENIED = Symbol('denied')
const DONE = Symbol('done')

interface Open {
  readonly requestId: string
  readonly position: number
}

/** Follows the calls of one ledger, entry by entry. Memory: about 200 bytes a decision. */
export class Lifecycle {
  readonly #decisions = new Map<string, Open | typeof DENIED | typeof DONE>()
  readonly #requestIds = new Set<string>()
  readonly #knownSize: number
  #open = 0

  constructor(known: KnownCalls | null = null) {
    this.#knownSize = known?.size ?? 0
    for (const { decisionHash, requestId, position } of known?.openCalls ?? []) {
      this.#decisions.set(packed(decisionHash), { requestId, position })
      this.#requestIds.add(requestId)
      this.#open += 1
    }
  }

  /** Allowed calls without an outcome so far. */
  get open(): number {
    return this.#open
  }

  /** The same, one by one, in the order of the ledger. */
  *openCalls(): Generator<OpenCall> {
    for (const [hash, state] of this.#decisions) {
      if (typeof state !== 'symbol') yield { decisionHash: unpacked(hash), ...state }
    }
  }

  /** Takes the next entry and says which rules it breaks. */
  observe(entry: CallEntry, position: number): readonly LifecycleProblem[] {
    return entry.event === 'decision' ? this.#decision(entry, position) : this.#outcome(entry)
  }

  #decision(entry: CallEntry, position: number): readonly LifecycleProblem[] {
    const { effect } = entry.decision
    const hash = packed(entry.decision.decision_hash)
    const problems = approvalProblems(entry)
    if (this.#decisions.has(hash)) {
      return [...problems, { code: 'DECISION_DUPLICATE', message: 'the same decision is on record twice' }]
    }
    if (this.#requestIds.has(entry.request_id)) {
      problems.push({ code: 'DECISION_DUPLICATE', message: `request \`${entry.request_id}\` has a decision already` })
    }
    this.#requestIds.add(entry.request_id)
    this.#decisions.set(hash, effect === 'allow' ? { requestId: entry.request_id, position } : DENIED)
    if (effect === 'allow') this.#open += 1
    return problems
  }

  #outcome(entry: CallEntry): readonly LifecycleProblem[] {
    const hash = packed(entry.decision.decision_hash)
    const state = this.#decisions.get(hash)
    if (state === undefined) return [{ code: 'DECISION_UNKNOWN', message: this.#unknownMessage() }]
    if (state === DENIED) return [{ code: 'OUTCOME_AFTER_DENY', message: 'a call that was denied has an outcome' }]
    if (state === DONE) return [{ code: 'OUTCOME_DUPLICATE', message: 'the call has an outcome already' }]
    if (state.requestId !== entry.request_id) {
      return [
        {
          code: 'REQUEST_ID_MISMATCH',
          message: `outcome names request \`${entry.request_id}\`, its decision \`${state.requestId}\``,
        },
      ]
    }
    this.#decisions.set(hash, DONE)
    this.#open -= 1
    return []
  }

  #unknownMessage(): string {
    const unknown = 'outcome of a decision that is not on record before it'
    return this.#knownSize === 0 ? unknown : `${unknown}, or was not open any more at entry ${this.#knownSize}`
  }
}

/** A hash in 32 one-byte characters instead of 64: with a million decisions to remember, that is 30 MiB. */
const packed = (hash: Hash): string => Buffer.from(hash, 'hex').toString('latin1')
const unpacked = (hash: string): Hash => Buffer.from(hash, 'latin1').toString('hex') as Hash

/** What is wrong with the approval under which a call was allowed. A denied call needs none, so nothing is asked of it. */
function approvalProblems(entry: CallEntry): LifecycleProblem[] {
  const { approval, decision } = entry
  if (decision.effect !== 'allow' || approval === null || approval === undefined) return []
  const problems: LifecycleProblem[] = []
  if (approval.state !== 'approved') {
    problems.push({ code: 'APPROVAL_NOT_APPROVED', message: `allowed under an approval that is \`${approval.state}\`` })
  }
  const { binding } = approval
  const bound =
    binding?.request_id === entry.request_id &&
    binding.policy_hash === decision.policy_hash &&
    binding.decision_hash === decision.decision_hash
  if (!bound)
    problems.push({
      code: 'APPROVAL_BINDING_MISMATCH',
      message: 'allowed under an approval that was given for another call',
    })
  if (isLate(approval.resolved_at, approval.expires_at, entry.recorded_at)) {
    problems.push({
      code: 'APPROVAL_EXPIRED',
      message: `allowed under an approval that ended at ${approval.expires_at}`,
    })
  }
  return problems
}

/** Resolved after its deadline, or put on record so long after it that it was not waiting for the ledger's lock. */
function isLate(resolvedAt: string | null, expiresAt: string | null, recordedAt: string | undefined): boolean {
  if (expiresAt === null) return false
  // A deadline that cannot be read cannot have been kept.
  if (!isTimestamp(expiresAt)) return true
  if (resolvedAt !== null && (!isTimestamp(resolvedAt) || resolvedAt > expiresAt)) return true
  return recordedAt !== undefined && isOver(expiresAt, recordedAt)
}

/** Whether an entry that is recorded at this time comes too late for an approval that ended at that one. Both are timestamps. */
export function isOver(expiresAt: string, recordedAt: string): boolean {
  return timestampMs(recordedAt) > timestampMs(expiresAt) + APPROVAL_USE_GRACE_MS
}
