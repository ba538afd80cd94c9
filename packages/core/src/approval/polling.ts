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

/** Ten polls a second: an approved call starts at once for a person, and the load on a file or a server is low. */
export const POLL_INTERVAL_MS_DEFAULT = 100

/** A shorter interval would be a busy loop on a file. */
export const POLL_INTERVAL_MS_MIN = 10

/** With a longer interval, the approver would miss answers that arrive shortly before the deadline. */
export const POLL_INTERVAL_MS_MAX = 60_000

export interface PollingApproverOptions {
  /** The store that receives the answers. Default: the engine's store. */
  readonly store?: ApprovalStore
  /** The polling interval in milliseconds, 10…60,000. Default: 100. */
  readonly intervalMs?: number
  readonly clock?: () => Date
}

/**
 * Waits until a different terminal or process answers through the approval store.
 *
 * If the approver has its own store, it inserts the request into that store before the wait. If the wait is cancelled,
 * the approver marks the record in that store as `failed`, so that people do not answer an obsolete question.
 *
 * The timer between two polls keeps the process alive. With an unref'd timer, a program without other work would exit
 * with status 0, the call would not run, and the ledger would not record a denial. The deadline limits the wait.
 */
export class PollingApprover implements Approver {
  readonly #store: ApprovalStore | undefined
  readonly #intervalMs: number
  readonly #clock: () => Date

  /** @throws TypeError for an unknown option or an interval that is out of range */
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

  /** @throws ApprovalStoreError if the store fails or does not have the request */
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
   * Waits until the record is settled. Returns a pending record if the signal aborts or the deadline passes (a
   * third-party store may not check the deadline). The total sleep is limited to the lifetime of the request, so that a
   * clock that stops or goes back does not make the wait endless.
   */
  async #settled(request: ApprovalRequest, store: ApprovalStore, signal: AbortSignal): Promise<ApprovalRecord> {
    const patienceMs = request.expiresAt.getTime() - request.createdAt.getTime()
    for (let sleptMs = 0; ; ) {
      const now = this.#clock()
      const record = await store.get(request.approvalId, now)
      if (record === undefined)
        throw new ApprovalStoreError('APPROVAL_NOT_FOUND', 'the approval store does not have this request')
      const leftMs = request.expiresAt.getTime() - now.getTime()
      if (record.state !== 'pending' || signal.aborted || leftMs <= 0 || sleptMs >= patienceMs) return record
      const waitMs = Math.min(this.#intervalMs, leftMs)
      await sleep(waitMs, undefined, { signal }).catch(() => {})
      sleptMs += waitMs
    }
  }

  /**
   * Marks the record as failed. Errors are ignored because the call is denied in any case: the record may have just
   * been settled, or the store may fail.
   */
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
  if (state === 'pending') return { approved: false, reason: 'the wait for an answer was cancelled' }
  return {
    approved: false,
    reason: state === 'expired' ? 'no answer before the deadline' : (note ?? 'the approval failed'),
  }
}
