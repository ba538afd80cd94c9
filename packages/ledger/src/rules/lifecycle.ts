// Checks the life cycle of each call: one decision, then at most one outcome, and only if the call was allowed
// (LEDGER-FORMAT §6). No I/O.
import type { Hash } from '@sudoagent/crypto'
import { APPROVAL_INCOMPLETE } from './approval.js'
import {
  CALL_KEY_WORDS,
  type CallKey,
  HASH_WORDS,
  hexOf,
  isUuid,
  requestIdOf,
  UUID_WORDS,
  uuidHex,
  uuidOf,
} from './call-key.js'
import { DecisionRows, IS_DONE } from './decision-rows.js'
import { type DecidedCall, describesCall } from './described-call.js'
import { KeyTable } from './key-table.js'
import { type ApprovalUse, type CallFacts, type CallText, NO_PROBLEMS, type Problem } from './line-facts.js'

/** An allowed call without an outcome. */
export interface OpenCall {
  readonly decisionHash: Hash
  readonly requestId: string
  /** Position of the decision. */
  readonly position: number
  readonly createdAt: string
  readonly agentId: string
}

/** Properties of the ledger that select the rules. */
export interface LedgerContext {
  /** Whether the ledger begins with a genesis. If so, each approval must have its times and may be used only once. */
  readonly hasGenesis: boolean
}

/** The state of an earlier run: the calls that were open after entry `size`. Closed calls are not included. */
export interface KnownCalls {
  readonly size: number
  readonly openCalls: readonly OpenCall[]
}

// States of a decision; see also `IS_DONE`.
const IS_DENIED = 0
const IS_OPEN = 1

/**
 * Tracks the calls of one ledger, entry by entry. Memory: about 90 bytes for each decision, 200 for each open
 * decision and 60 for each approval; more if request ids are not UUIDs.
 */
export class Lifecycle {
  readonly #decisions = new KeyTable(HASH_WORDS)
  readonly #requestIds = new KeyTable(UUID_WORDS)
  /** One row for each decision. */
  readonly #rows = new DecisionRows()
  /**
   * Request ids that are not UUIDs: a set of all such ids, and a map from the row to the id for decisions that are
   * not done.
   */
  readonly #otherIds = new Set<string>()
  readonly #otherIdOf = new Map<number, string>()
  /** The open decisions, by row. */
  readonly #decided = new Map<number, DecidedCall>()
  /** Ids of the approvals under which calls were allowed. */
  readonly #approvals = new Set<string>()
  readonly #scratch = new Uint32Array(CALL_KEY_WORDS)
  readonly #scratchBytes = Buffer.from(this.#scratch.buffer)
  readonly #knownSize: number
  #open = 0

  constructor(known: KnownCalls | null = null) {
    this.#knownSize = known?.size ?? 0
    for (const { decisionHash, requestId, position, ...decided } of known?.openCalls ?? [])
      this.#remember(this.#keyOf(decisionHash, requestId), IS_OPEN, position, decided)
  }

  /** Number of allowed calls that have no outcome so far. */
  get open(): number {
    return this.#open
  }

  /** Yields the allowed calls without an outcome, in ledger order. */
  *openCalls(): Generator<OpenCall> {
    for (let row = 0; row < this.#decisions.size; row += 1) {
      if (this.#rows.state(row) !== IS_OPEN) continue
      const decisionHash = hexOf(this.#decisions.key(row)) as Hash
      const { createdAt, agentId } = this.#decided.get(row) ?? { createdAt: '', agentId: '' }
      yield { decisionHash, requestId: this.#requestIdOf(row), position: this.#rows.position(row), createdAt, agentId }
    }
  }

  /**
   * Applies the rules to the next entry.
   *
   * @param context - null to track the calls only, without comparing an outcome with its decision
   * @returns the rules that the entry breaks
   */
  observe(facts: CallFacts, position: number, context: LedgerContext | null): readonly Problem[] {
    const call = this.#keyOf(facts.decisionHash, facts.requestId)
    if (!facts.isDecision) {
      const isOther = context !== null && !this.describes(call.words, call.at, facts)
      const problems = this.#outcome(call)
      return problems.length === 0 && isOther ? OTHER_CALL : problems
    }
    const { isAllowed, createdAt, agentId, approval } = facts
    return [
      ...facts.approvalProblems,
      ...(context?.hasGenesis === true && approval !== null ? this.useApproval(approval) : NO_PROBLEMS),
      ...this.#decision(call, isAllowed, position, isAllowed ? { createdAt, agentId } : undefined),
    ]
  }

  /** Whether an earlier entry decided a call with this request id. After a resumed start, only open calls count. */
  hasDecided(requestId: string): boolean {
    if (!isUuid(requestId)) return this.#otherIds.has(requestId)
    const call = this.#keyOf(NO_HASH, requestId)
    return this.#requestIds.find(call.words, HASH_WORDS) !== -1
  }

  /**
   * Whether an outcome and its decision describe the same call. True if the decision is not open, since its data is
   * then no longer available.
   */
  describes(words: Uint32Array, at: number, outcome: CallText): boolean {
    const row = this.#decisions.find(words, at)
    const decided = row === -1 ? undefined : this.#decided.get(row)
    return decided === undefined || describesCall(outcome, decided, hexOf(this.#decisions.key(row)))
  }

  /** Records the use of an approval in a ledger where each approval must have times and may be used once. */
  useApproval(approval: ApprovalUse): readonly Problem[] {
    const problems = this.approvalUseProblems(approval)
    this.#approvals.add(approval.id)
    return problems
  }

  /** Returns the problems that the use of this approval would cause. */
  approvalUseProblems({ id, hasTimes }: ApprovalUse): readonly Problem[] {
    if (hasTimes && !this.#approvals.has(id)) return NO_PROBLEMS
    return [...(this.#approvals.has(id) ? [APPROVAL_REUSED] : []), ...(hasTimes ? [] : [APPROVAL_INCOMPLETE])]
  }

  /** Like `observe`, but needs only the event and key of an entry. The approval must already have been checked. */
  observeCall(
    event: 'allowed' | 'denied' | 'outcome',
    words: Uint32Array,
    at: number,
    position: number,
    decided?: DecidedCall,
  ): readonly Problem[] {
    const call = { words, at, requestId: null }
    return event === 'outcome' ? this.#outcome(call) : this.#decision(call, event === 'allowed', position, decided)
  }

  #decision(call: CallKey, isAllowed: boolean, position: number, decided: DecidedCall | undefined): readonly Problem[] {
    if (this.#decisions.find(call.words, call.at) !== -1)
      return [{ code: 'DECISION_DUPLICATE', message: 'the decision is already recorded' }]
    const isTwice = this.#remember(call, isAllowed ? IS_OPEN : IS_DENIED, position, decided)
    if (!isTwice) return NO_PROBLEMS
    return [{ code: 'DECISION_DUPLICATE', message: `request \`${requestIdOf(call)}\` already has a decision` }]
  }

  /** @returns whether an earlier decision has the same request id */
  #remember(call: CallKey, state: number, position: number, decided: DecidedCall | undefined): boolean {
    const { words, at, requestId } = call
    const row = this.#decisions.add(words, at)
    if (decided !== undefined) this.#decided.set(row, decided)
    if (state === IS_OPEN) this.#open += 1
    if (requestId !== null) {
      const isTwice = this.#otherIds.has(requestId)
      this.#otherIds.add(requestId)
      this.#otherIdOf.set(row, requestId)
      this.#rows.add(state, position, -1)
      return isTwice
    }
    const known = this.#requestIds.find(words, at + HASH_WORDS)
    this.#rows.add(state, position, known === -1 ? this.#requestIds.add(words, at + HASH_WORDS) : known)
    return known !== -1
  }

  #outcome(call: CallKey): readonly Problem[] {
    const row = this.#decisions.find(call.words, call.at)
    if (row === -1) return [{ code: 'DECISION_UNKNOWN', message: this.#unknownMessage() }]
    const state = this.#rows.state(row)
    if (state === IS_DENIED) return [{ code: 'OUTCOME_AFTER_DENY', message: 'a denied call has an outcome' }]
    if (state === IS_DONE) return [{ code: 'OUTCOME_DUPLICATE', message: 'the call already has an outcome' }]
    if (!this.#isRequestOf(row, call)) {
      const message = `the outcome has request id \`${requestIdOf(call)}\`, but its decision has \`${this.#requestIdOf(row)}\``
      return [{ code: 'REQUEST_ID_MISMATCH', message }]
    }
    this.#rows.setState(row, IS_DONE)
    this.#otherIdOf.delete(row)
    this.#decided.delete(row)
    this.#open -= 1
    return NO_PROBLEMS
  }

  #isRequestOf(row: number, { words, at, requestId }: CallKey): boolean {
    if (requestId !== null) return this.#otherIdOf.get(row) === requestId
    const request = this.#rows.request(row)
    if (request === -1) return false
    const key = this.#requestIds.key(request)
    for (let i = 0; i < UUID_WORDS; i += 1) if (key[i] !== words[at + HASH_WORDS + i]) return false
    return true
  }

  #requestIdOf(row: number): string {
    const request = this.#rows.request(row)
    return request === -1 ? (this.#otherIdOf.get(row) ?? '') : uuidOf(this.#requestIds.key(request))
  }

  #keyOf(decisionHash: Hash, requestId: string): CallKey {
    const fitsWords = isUuid(requestId)
    this.#scratchBytes.write(decisionHash, 'hex')
    if (fitsWords) this.#scratchBytes.write(uuidHex(requestId), 4 * HASH_WORDS, 'hex')
    return { words: this.#scratch, at: 0, requestId: fitsWords ? null : requestId }
  }

  #unknownMessage(): string {
    const unknown = 'no earlier entry records the decision of this outcome'
    return this.#knownSize === 0 ? unknown : `${unknown}, or the call was no longer open at entry ${this.#knownSize}`
  }
}

/** For a key of which only the request id is read. */
const NO_HASH = '0'.repeat(64) as Hash

const APPROVAL_REUSED: Problem = {
  code: 'APPROVAL_REUSED',
  message: 'allowed under an approval that was used for a different call',
}
const OTHER_CALL: readonly Problem[] = [
  { code: 'DECISION_HASH_MISMATCH', message: 'the outcome and its decision describe different calls' },
]
