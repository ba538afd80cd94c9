// The life of a call on the record, pure: one decision, then at most one outcome, and only after an allow (LEDGER-FORMAT §6).
import { type Hash, isApprovalLate, isPypiEntry, pypiAsksForApproval } from '@sudoagent/crypto'
import { approvalOf, type CallEntry } from './entry.js'
import { KeyTable } from './key-table.js'
import type { FindingCode } from './report.js'

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

// What is remembered of a decision.
const IS_DENIED = 0
const IS_OPEN = 1
const IS_DONE = 2

export const HASH_WORDS = 8
const UUID_WORDS = 4
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** Whether a request id is a UUID in its usual form, and so fits into words. */
export const isUuid = (requestId: string): boolean => UUID.test(requestId)

/** Words of a call: the decision hash, then the request id where it is a UUID. */
export const CALL_KEY_WORDS = HASH_WORDS + UUID_WORDS

/** The call that an entry is about: `CALL_KEY_WORDS` words, and the request id where it is no UUID. */
interface CallKey {
  readonly words: Uint32Array
  readonly at: number
  readonly requestId: string | null
}

/** Follows the calls of one ledger, entry by entry. Memory: about 90 bytes a decision, and more where request ids are no UUIDs. */
export class Lifecycle {
  readonly #decisions = new KeyTable(HASH_WORDS)
  readonly #requestIds = new KeyTable(UUID_WORDS)
  /** One row for each decision. */
  readonly #rows = new DecisionRows()
  /** Request ids that are no UUIDs, and those of the decisions that have one. */
  readonly #otherIds = new Set<string>()
  readonly #otherIdOf = new Map<number, string>()
  readonly #scratch = new Uint32Array(CALL_KEY_WORDS)
  readonly #scratchBytes = Buffer.from(this.#scratch.buffer)
  readonly #knownSize: number
  #open = 0

  constructor(known: KnownCalls | null = null) {
    this.#knownSize = known?.size ?? 0
    for (const { decisionHash, requestId, position } of known?.openCalls ?? [])
      this.#remember(this.#keyOf(decisionHash, requestId), IS_OPEN, position)
  }

  /** Allowed calls without an outcome so far. */
  get open(): number {
    return this.#open
  }

  /** The same, one by one, in the order of the ledger. */
  *openCalls(): Generator<OpenCall> {
    for (let row = 0; row < this.#decisions.size; row += 1) {
      if (this.#rows.state(row) !== IS_OPEN) continue
      const decisionHash = hexOf(this.#decisions.key(row)) as Hash
      yield { decisionHash, requestId: this.#requestIdOf(row), position: this.#rows.position(row) }
    }
  }

  /** Takes the next entry and says which rules it breaks. */
  observe(entry: CallEntry, position: number): readonly LifecycleProblem[] {
    const call = this.#keyOf(entry.decision.decision_hash, entry.request_id)
    if (entry.event === 'outcome') return this.#outcome(call)
    return [...approvalProblems(entry), ...this.#decision(call, entry.decision.effect === 'allow', position)]
  }

  /** The same for an entry of which no more is known than that, and that its approval, if any, is in order. */
  observeCall(
    event: 'allowed' | 'denied' | 'outcome',
    words: Uint32Array,
    at: number,
    position: number,
  ): readonly LifecycleProblem[] {
    const call = { words, at, requestId: null }
    return event === 'outcome' ? this.#outcome(call) : this.#decision(call, event === 'allowed', position)
  }

  #decision(call: CallKey, isAllowed: boolean, position: number): readonly LifecycleProblem[] {
    if (this.#decisions.find(call.words, call.at) !== -1)
      return [{ code: 'DECISION_DUPLICATE', message: 'the same decision is on record twice' }]
    const isTwice = this.#remember(call, isAllowed ? IS_OPEN : IS_DENIED, position)
    if (!isTwice) return NOTHING
    return [{ code: 'DECISION_DUPLICATE', message: `request \`${requestIdOf(call)}\` has a decision already` }]
  }

  /** @returns whether another decision has that request id */
  #remember(call: CallKey, state: number, position: number): boolean {
    const { words, at, requestId } = call
    const row = this.#decisions.add(words, at)
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

  #outcome(call: CallKey): readonly LifecycleProblem[] {
    const row = this.#decisions.find(call.words, call.at)
    if (row === -1) return [{ code: 'DECISION_UNKNOWN', message: this.#unknownMessage() }]
    const state = this.#rows.state(row)
    if (state === IS_DENIED) return [{ code: 'OUTCOME_AFTER_DENY', message: 'a call that was denied has an outcome' }]
    if (state === IS_DONE) return [{ code: 'OUTCOME_DUPLICATE', message: 'the call has an outcome already' }]
    if (!this.#isRequestOf(row, call)) {
      const message = `outcome names request \`${requestIdOf(call)}\`, its decision \`${this.#requestIdOf(row)}\``
      return [{ code: 'REQUEST_ID_MISMATCH', message }]
    }
    this.#rows.setState(row, IS_DONE)
    this.#otherIdOf.delete(row)
    this.#open -= 1
    return NOTHING
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
    const unknown = 'outcome of a decision that is not on record before it'
    return this.#knownSize === 0 ? unknown : `${unknown}, or was not open any more at entry ${this.#knownSize}`
  }
}

const NOTHING: readonly LifecycleProblem[] = []

interface Rows {
  readonly states: Uint8Array
  readonly positions: Float64Array
  readonly requests: Int32Array
}

const newRows = (): Rows => ({
  states: new Uint8Array(BLOCK_ROWS),
  positions: new Float64Array(BLOCK_ROWS),
  requests: new Int32Array(BLOCK_ROWS),
})

/** What is remembered beside the key of each decision, in blocks that are never copied. */
class DecisionRows {
  readonly #blocks: { readonly states: Uint8Array; readonly positions: Float64Array; readonly requests: Int32Array }[] =
    []
  #size = 0

  add(state: number, position: number, request: number): void {
    const at = this.#size % BLOCK_ROWS
    if (at === 0) this.#blocks.push(newRows())
    const rows = this.#blocks.at(-1) ?? newRows()
    rows.states[at] = state
    rows.positions[at] = position
    rows.requests[at] = request
    this.#size += 1
  }

  state(row: number): number {
    return this.#blocks[Math.floor(row / BLOCK_ROWS)]?.states[row % BLOCK_ROWS] ?? IS_DONE
  }

  setState(row: number, state: number): void {
    const block = this.#blocks[Math.floor(row / BLOCK_ROWS)]
    if (block !== undefined) block.states[row % BLOCK_ROWS] = state
  }

  position(row: number): number {
    return this.#blocks[Math.floor(row / BLOCK_ROWS)]?.positions[row % BLOCK_ROWS] ?? 0
  }

  /** Row of its request id; −1 where that is no UUID. */
  request(row: number): number {
    return this.#blocks[Math.floor(row / BLOCK_ROWS)]?.requests[row % BLOCK_ROWS] ?? -1
  }
}

const BLOCK_ROWS = 1 << 12

/** The 32 digits of a UUID in its usual form. */
export function uuidHex(uuid: string): string {
  return uuid.slice(0, 8) + uuid.slice(9, 13) + uuid.slice(14, 18) + uuid.slice(19, 23) + uuid.slice(24)
}

/** The request id of a call whose words begin at `at`. */
export function requestIdAt(words: Uint32Array, at: number): string {
  return uuidOf(words.subarray(at + HASH_WORDS, at + CALL_KEY_WORDS))
}

const requestIdOf = ({ words, at, requestId }: CallKey): string => requestId ?? requestIdAt(words, at)

function uuidOf(words: Uint32Array): string {
  const hex = hexOf(words)
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

const hexOf = (words: Uint32Array): string =>
  Buffer.from(words.buffer, words.byteOffset, words.byteLength).toString('hex')

const NEVER_APPROVED: LifecycleProblem = {
  code: 'APPROVAL_NOT_APPROVED',
  message: 'allowed without the approval that the policy asked for',
}

/** What is wrong with the approval under which a call was allowed. A denied call needs none, so nothing is asked of it. */
export function approvalProblems(entry: CallEntry): LifecycleProblem[] {
  const { decision } = entry
  const approval = approvalOf(entry)
  if (decision.effect !== 'allow') return []
  if (approval === null) return isPypiEntry(entry) && pypiAsksForApproval(entry) ? [NEVER_APPROVED] : []
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
  if (isApprovalLate(approval, entry.recorded_at ?? null)) {
    problems.push({
      code: 'APPROVAL_EXPIRED',
      message: `allowed under an approval that ended at ${approval.expires_at}`,
    })
  }
  return problems
}
