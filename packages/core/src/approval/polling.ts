import { setTimeout as sleep } from 'node:timers/promises'
import { memberOf, readOptions, requireInteger } from '../check.js'
import {
  type ApprovalAnswer,
  type ApprovalRecord,
  type ApprovalRequest,
  type ApprovalStore,
  ApprovalStoreError,
  type Approver,
} from './approval.js'

/** Four looks a second: a person does not notice the wait, a file does not notice the looks. */
export const POLL_INTERVAL_MS_DEFAULT = 250

/** Below this polling is a busy loop on a file. */
export const POLL_INTERVAL_MS_MIN = 10

/** Above this an answer just before the deadline would hardly ever be seen. */
export const POLL_INTERVAL_MS_MAX = 60_000

export interface PollingApproverOptions {
  /** Where the answers come in; the engine's own store unless given. */
  readonly store?: ApprovalStore
  /** Milliseconds between two looks, 10…60,000; 250 unless given. */
  readonly intervalMs?: number
  readonly clock?: () => Date
}

/**
 * Waits for somebody else, in another terminal or process, to answer in the approval store.
 *
 * With a store of its own the request is put there first, and marked `failed` there when the wait is given up, so that
 * nobody answers a question that is no longer asked.
 *
 * The timer between two looks keeps the process alive. A waiting call is work under way: with an unref'd timer a
 * program that has nothing else to do would exit with status 0, the call neither made nor denied on the record. The
 * deadline bounds the wait.
 */
export class PollingApprover implements Approver {
  readonly #store: ApprovalStore | undefined
  readonly #intervalMs: number
  readonly #clock: () => Date

  /** @throws TypeError for an unknown option or an interval out of bounds */
  constructor(options: PollingApproverOptions = {}) {
    const { store, intervalMs, clock } = readOptions('polling approver', options, ['store', 'intervalMs', 'clock'])
    this.#store = store
    this.#intervalMs = requireInteger(
      'intervalMs',
      intervalMs ?? POLL_INTERVAL_MS_DEFAULT,
      POLL_INTERVAL_MS_MIN,
      POLL_INTERVAL_MS_MAX,
    )
    this.#clock = clock ?? (() => new Date())
  }

  /** @throws ApprovalStoreError when the store fails or does not know the request */
  async approve(
    request: ApprovalRequest,
    { signal, store }: { readonly signal: AbortSignal; readonly store: ApprovalStore },
  ): Promise<ApprovalAnswer> {
    const own = this.#store !== undefined && this.#store !== store ? this.#store : undefined
    if (own === undefined) return answerOf(await this.#settled(request, store, signal))
    await own.create(request, this.#clock())
    const record = await this.#settled(request, own, signal)
    if (record.state === 'pending') await this.#withdraw(request.approvalId, own)
    return answerOf(record)
  }

  /**
   * The record as soon as it is settled, or still pending when the wait is over: the signal, the deadline (a foreign
   * store may not know about it), or as much sleep as the request was open for, so that a clock that stands still or goes
   * back does not make the wait endless.
   */
  async #settled(request: ApprovalRequest, store: ApprovalStore, signal: AbortSignal): Promise<ApprovalRecord> {
    const patienceMs = request.expiresAt.getTime() - request.createdAt.getTime()
    for (let sleptMs = 0; ; ) {
      const now = this.#clock()
      const record = await store.get(request.approvalId, now)
      if (record === undefined)
        throw new ApprovalStoreError('APPROVAL_NOT_FOUND', 'the approval store does not know this request')
      const leftMs = request.expiresAt.getTime() - now.getTime()
      if (record.state !== 'pending' || signal.aborted || leftMs <= 0 || sleptMs >= patienceMs) return record
      const waitMs = Math.min(this.#intervalMs, leftMs)
      await sleep(waitMs, undefined, { signal }).catch(() => {})
      sleptMs += waitMs
    }
  }

  /** The answer is no in any case; somebody may have settled it at this very moment, or the store may have failed. */
  async #withdraw(approvalId: string, store: ApprovalStore): Promise<void> {
    await store.resolve(approvalId, { state: 'failed', note: 'withdrawn' }, this.#clock()).catch(() => {})
  }
}

function answerOf(record: ApprovalRecord): ApprovalAnswer {
  const [state, approverId, note, binding] = (['state', 'approverId', 'note', 'binding'] as const).map((name) =>
    memberOf(record, name),
  ) as [ApprovalRecord['state'], string | null, string | null, ApprovalRecord['binding']]
  if (state === 'approved') return { approved: true, approverId, reason: note, binding }
  if (state === 'denied') return { approved: false, approverId, reason: note, binding }
  if (state === 'pending') return { approved: false, reason: 'the wait for an answer was given up' }
  return { approved: false, reason: state === 'expired' ? 'nobody answered in time' : (note ?? 'the approval failed') }
}
