// Finds the recorded question that a call attaches to: for a repeated call, and for `resume`.
import { setTimeout as delay } from 'node:timers/promises'
import { type Hash, isHash } from '@sudoagent/crypto'
import type { ApprovalRecord, ApprovalState } from '../approval/approval.js'
import { within } from '../call/deadline.js'
import type { PendingCall } from '../call/unchanged.js'
import { memberOf } from '../check.js'
import type { EngineParts } from '../options.js'
import { AskedCalls } from './asked-calls.js'
import { type Attached, type AttachTerms, attach, attachStale } from './attach.js'
import { pendingOf, StillPending, WaitEnded } from './pending.js'
import { recordsQuestions } from './question-step.js'
import { openQuestions } from './stored-questions.js'
import { Waiters } from './waiters.js'

/** The time between two looks at a question that another call waits for. */
const LOOK_MS = 250

/** The states of questions that a repeated call looks for, in this order. */
const STATES: readonly ApprovalState[] = ['approved', 'pending', 'denied']

/** The result of a search by `resume`. */
export type Found =
  | { readonly kind: 'attached'; readonly attached: Attached }
  /** Asked under another policy, or its time is over: the denial is recorded. */
  | { readonly kind: 'stale' | 'expired'; readonly attached: Attached }
  | { readonly kind: 'unknown' | 'decided' }

export class QuestionDesk {
  readonly waiters: Waiters
  readonly calls = new AskedCalls()
  readonly #parts: EngineParts

  constructor(parts: EngineParts) {
    this.#parts = parts
    this.waiters = new Waiters(parts)
  }

  /**
   * Finds an open question that a repeated call attaches to, and makes the call its waiter.
   *
   * @returns null if the call needs a question of its own
   * @throws the error of the store or the ledger
   */
  async find(call: PendingCall): Promise<Attached | null> {
    const { approvalStore: store } = this.#parts
    if (typeof memberOf(store, 'list') !== 'function') return null
    const terms = await this.#terms()
    if (terms === null) return null
    const open = await this.#open(call.request.context.agentId, terms)
    const fitting = open.flatMap((record) => attach(call, record, terms) ?? [])
    for (const attached of STATES.flatMap((state) => fitting.filter(({ record }) => record.state === state))) {
      const { approvalId, state } = attached.record
      if (state === 'denied') return attached
      if (!(await this.waiters.take(approvalId))) continue
      const again = await this.#compare(call, approvalId, terms)
      if (again.kind === 'attached') return again.attached
      await this.waiters.giveUp(approvalId)
    }
    return null
  }

  /**
   * Finds the question of a call by its id, and makes the call its waiter. While another call waits for the answer,
   * this one waits for the other to end.
   *
   * @param call - the call, with the id of the question as its request id
   * @throws StillPending if another call waits and this one does not; the abort reason of the call's signal; the error
   *   of the store or the ledger
   */
  async resume(call: PendingCall): Promise<Found> {
    const approvalId = call.request.context.requestId
    const { signal, wait, mayPend } = call.terms
    const terms = await this.#terms()
    if (terms === null) return { kind: 'unknown' }
    for (;;) {
      const found = await this.#compare(call, approvalId, terms)
      if (!('attached' in found) || !canBeUsed(found.attached.record, this.#parts.clock())) return found
      if (await this.waiters.take(approvalId)) {
        const again = await this.#compare(call, approvalId, terms)
        if (!('attached' in again)) this.waiters.release(approvalId)
        return again
      }
      if (!wait || (mayPend && signal?.reason instanceof WaitEnded))
        throw new StillPending(pendingOf(found.attached.record))
      await delay(LOOK_MS, undefined, signal === undefined ? {} : { signal }).catch(() => {
        if (!(mayPend && signal?.reason instanceof WaitEnded)) signal?.throwIfAborted()
      })
    }
  }

  /** The open questions of the agent, as the store has them. */
  async list(): Promise<readonly ApprovalRecord[]> {
    const terms = await this.#terms()
    return terms === null ? [] : await this.#open(this.#parts.agentId, terms, true)
  }

  /**
   * The records of an agent's open questions. One that cannot be read is left out: a call cannot attach to it.
   *
   * @param waited - whether to include those for which a call of this engine waits
   */
  async #open(agentId: string, { ledger }: AttachTerms, waited = false): Promise<readonly ApprovalRecord[]> {
    const { clock, approvalStore: store } = this.#parts
    const now = clock()
    const ids = await openQuestions(this.#parts, { agentId })
    const records = await (ids === undefined
      ? // The ledger cannot tell which questions are open.
        Promise.all(STATES.map((state) => this.#ask(() => store.list({ state, agentId, ledger }, now)))).then((lists) =>
          lists.flat(),
        )
      : Promise.all(
          ids
            .filter((id) => waited || !this.waiters.has(id))
            .map((id) => this.#ask(() => store.get(id, now)).catch(() => undefined)),
        ))
    return records.flatMap((record) => {
      const { approvalId, asked, consumedAt, expiresAt } = record ?? {}
      const isOpen = asked?.ledger === ledger && consumedAt === null && expiresAt !== undefined && expiresAt > now
      const isFree = waited || (approvalId !== undefined && !this.waiters.has(approvalId))
      return record !== undefined && record.agentId === agentId && isOpen && isFree ? [record] : []
    })
  }

  /** Reads a question and compares the call with it. */
  async #compare(call: PendingCall, approvalId: string, terms: AttachTerms): Promise<Found> {
    const { clock, approvalStore: store } = this.#parts
    const now = clock()
    const record = await this.#ask(() => store.get(approvalId, now))
    if (record === undefined) return { kind: 'unknown' }
    const fitting = attach(call, record, terms)
    const attached = fitting ?? attachStale(call, record, terms)
    if (attached === null) return { kind: 'unknown' }
    if (record.consumedAt !== null || record.state === 'failed') return { kind: 'decided' }
    if (fitting === null) return (await this.isOpen(approvalId)) ? { kind: 'stale', attached } : { kind: 'decided' }
    return { kind: record.expiresAt > now ? 'attached' : 'expired', attached }
  }

  /** Null if the ledger does not record questions. */
  async #terms(): Promise<AttachTerms | null> {
    const { ledger, timeoutMs, commitmentKey } = this.#parts
    if (!recordsQuestions(ledger)) return null
    const hash: unknown = await within(timeoutMs, 'ledger', async () => ledger.firstHash?.())
    if (!isHash(hash)) return null
    const kept = (requestId: string, decisionHash: Hash) => this.calls.find(requestId, decisionHash)
    return { ledger: hash, kept, commitmentKey }
  }

  /** Whether the ledger has a question without a decision. A ledger that cannot tell decides at the append. */
  async isOpen(approvalId: string): Promise<boolean> {
    const open = await openQuestions(this.#parts, { among: [approvalId] })
    return open === undefined || open.includes(approvalId)
  }

  #ask<T>(work: () => Promise<T>): Promise<T> {
    return within(this.#parts.timeoutMs, 'approval store', work)
  }
}

/** Whether an answer, or its use, may still come: only such a question has a waiter. */
const canBeUsed = ({ state, expiresAt }: ApprovalRecord, now: Date): boolean =>
  (state === 'pending' || state === 'approved') && expiresAt > now
