// Records decisions and outcomes. A decision must be durable before the function runs, so every failure throws an
// AuditLogError. Outcomes are recorded with best effort, so a failure does not reach the caller.
import { commitResult } from '@sudoagent/crypto/entry'
import {
  type AppendedEntry,
  type EntryDraft,
  LedgerError,
  type LedgerErrorCode,
  type PreparedEntry,
} from '@sudoagent/ledger'
import { formatTimestamp, type OutcomeBlock } from '@sudoagent/ledger/entry'
import type { AuditRecord } from '../audit-log.js'
import { memberOf } from '../check.js'
import { AuditLogError, makeDenial } from '../error.js'
import type { EngineFault, EngineParts } from '../options.js'
import type { CheckedPolicyResult } from '../policy/policy.js'
import { within } from './deadline.js'
import { type Decision, type DecisionRequest, decisionDraft, outcomeDraft } from './decision.js'
import { type DraftRefused, draftRefusal } from './draft-refused.js'
import { describeFailure } from './failure.js'

/** After one of these errors, the ledger rejects all further entries from this writer, so later calls fail, too. */
const FOR_GOOD: ReadonlySet<LedgerErrorCode> = new Set<LedgerErrorCode>([
  'KEY_REFUSED',
  'ORIGIN_REFUSED',
  'LEDGER_FINISHED',
  'LEDGER_DAMAGED',
  'LEDGER_CLOSED',
])

type RecorderParts = Pick<
  EngineParts,
  'ledger' | 'auditLog' | 'timeoutMs' | 'clock' | 'redactor' | 'onError' | 'commitmentKey'
>

/** The outcome of a call. */
export type CallOutcome = ({ readonly status: 'success' } | { readonly status: 'error'; readonly error: unknown }) & {
  /**
   * Returns the JSON text of the result that the caller gets. An engine with a `commitmentKey` calls it once, and
   * records a commitment to the text.
   */
  readonly resultText?: (() => string) | undefined
}

export class Recorder {
  readonly #parts: RecorderParts
  /**
   * Prepared success outcomes for calls in progress; null if the prepared entry must not be used.
   */
  readonly #prepared = new WeakMap<DecisionRequest, PreparedEntry | null>()
  #outcomeFailures = 0

  constructor(parts: RecorderParts) {
    this.#parts = parts
  }

  /** The number of outcomes that could not be recorded. */
  get outcomeFailures(): number {
    return this.#outcomeFailures
  }

  /**
   * Writes a decision to the audit log and then to the ledger, so that the ledger never contains a decision that could
   * not be logged.
   *
   * @param cause - the error that led to a refusal. Its type and redacted message are added to the metadata
   * @param letThrough - the policy's result for a call that a later step refused. The entry's reason comes from the
   * later step, so the policy's result, which names the rule that required the missing approval, is added to the
   * metadata
   * @param once - whether the decision is refused if the request id has one
   * @throws AuditLogError if a write fails; DraftRefused if the rules of the ledger forbid the decision, and then
   * nothing is recorded. The call must not run
   */
  async decision(
    request: DecisionRequest,
    ruling: Decision,
    cause?: unknown,
    letThrough?: CheckedPolicyResult,
    once = false,
  ): Promise<Pick<AppendedEntry, 'position'>> {
    const { auditLog, ledger, timeoutMs } = this.#parts
    const extra = {
      ...(cause === undefined ? {} : { failure: { ...describeFailure(cause, this.#parts.redactor) } }),
      ...(letThrough === undefined ? {} : { policy_result: policyResult(letThrough) }),
    }
    try {
      const draft = decisionDraft(request, ruling, extra)
      await within(timeoutMs, 'audit log', () => auditLog?.write(auditRecord(draft, ruling.effect)))
      const entry: unknown = await within(timeoutMs, 'ledger', () => {
        const appended = once ? ledger.append(draft, { once }) : ledger.append(draft)
        if (ruling.effect === 'allow') this.#prepareOutcome(request, ruling)
        return appended
      })
      // If the ledger does not return the entry's position, it has not confirmed the write.
      const position = memberOf(entry, 'position')
      if (!Number.isSafeInteger(position)) throw new TypeError('the ledger did not return a valid entry position')
      return { position: position as number }
    } catch (error) {
      const refused = refusalOf(error, ruling)
      const code = refused?.code ?? 'LEDGER_WRITE_FAILED_DECISION'
      await this.#audit(request, {
        event: 'error',
        reason_code: code,
        error: describeFailure(error, this.#parts.redactor).error,
      })
      throw refused ?? this.unrecorded(request, 'the decision could not be recorded', error)
    }
  }

  /**
   * The error of a call whose question or decision may not be recorded. If the ledger rejects all further entries, the
   * cause is reported to the error hook, and the call cannot be retried.
   */
  unrecorded({ context, decisionHash }: DecisionRequest, reason: string, cause: unknown): AuditLogError {
    const { requestId, action } = context
    const isForGood = cause instanceof LedgerError && FOR_GOOD.has(cause.code)
    if (isForGood) this.fault({ stage: 'decision', requestId, error: cause })
    const denial = makeDenial('LEDGER_WRITE_FAILED_DECISION', reason, requestId, decisionHash, !isForGood)
    return new AuditLogError(denial, { action, cause })
  }

  /**
   * Writes an outcome. Never throws.
   *
   * @param decidedAt - the position of the decision
   * @returns whether it was recorded
   */
  async outcome(request: DecisionRequest, ruling: Decision, outcome: CallOutcome, decidedAt: number): Promise<boolean> {
    const { ledger, timeoutMs, clock, redactor } = this.#parts
    try {
      const failure = outcome.status === 'error' ? describeFailure(outcome.error, redactor) : undefined
      const result = this.#boundResult(request.context.requestId, outcome)
      const block = { ...outcomeBlock(ruling, failure), ...result }
      const prepared = failure === undefined && result === null ? this.#prepared.get(request) : undefined
      this.#prepared.set(request, null)
      await within(timeoutMs, 'ledger', () => {
        if (prepared) return prepared.append(formatTimestamp(clock()), { decidedAt })
        return ledger.append(outcomeDraft(request, ruling, block, clock()), { decidedAt })
      })
      await this.#audit(request, {
        event: 'outcome',
        status: block.status,
        error_type: block.error_type,
        error: block.error,
      })
      return true
    } catch (error) {
      this.#outcomeFailures += 1
      this.fault({ stage: 'outcome', requestId: request.context.requestId, error })
      return false
    }
  }

  /**
   * Writes the outcome of a call that is known by its request id only.
   *
   * @throws TypeError if the ledger cannot record it; the errors of `LedgerWriter.recordOutcome`
   */
  async outcomeOf(requestId: string, outcome: CallOutcome): Promise<AppendedEntry> {
    const { ledger, timeoutMs, clock, redactor } = this.#parts
    if (typeof memberOf(ledger, 'recordOutcome') !== 'function')
      throw new TypeError('the ledger of this engine cannot record outcomes by request id')
    const failure = outcome.status === 'error' ? describeFailure(outcome.error, redactor) : null
    const report = {
      status: outcome.status,
      error_type: failure?.error_type ?? null,
      error: failure?.error ?? null,
      ...this.#boundResult(requestId, outcome),
      createdAt: formatTimestamp(clock()),
    }
    const entry = await within(timeoutMs, 'ledger', async () => ledger.recordOutcome?.(requestId, report))
    if (entry === undefined) throw new TypeError('the ledger did not return the entry of the outcome')
    return entry
  }

  /**
   * Encodes the outcome of a successful call while a remote store commits the decision, because this thread is idle
   * during that time. The result is only a draft: if the call fails or the ledger rejects the draft, the outcome is
   * recorded in the regular way.
   */
  #prepareOutcome(request: DecisionRequest, ruling: Decision): void {
    const { ledger } = this.#parts
    if (ledger.prepare === undefined) return
    setImmediate(() => {
      // If the map already has an entry for this request, the call has ended.
      if (this.#prepared.has(request)) return
      try {
        const draft = outcomeDraft(request, ruling, outcomeBlock(ruling), new Date(0))
        const prepared = ledger.prepare?.(draft)
        // A third-party ledger may use the name `prepare` for a different method.
        this.#prepared.set(request, typeof prepared?.append === 'function' ? prepared : null)
      } catch {
        // The regular append will report the error.
      }
    })
  }

  /** The commitment to the result. A failure is reported, because an outcome without it is better than none. */
  #boundResult(requestId: string, { resultText }: CallOutcome): Pick<OutcomeBlock, 'result'> | null {
    const { commitmentKey } = this.#parts
    if (commitmentKey === null || resultText === undefined) return null
    try {
      // An entry has its request id in NFC.
      return { result: commitResult(commitmentKey, requestId.normalize('NFC'), resultText()) }
    } catch (error) {
      this.fault({ stage: 'outcome', requestId, error })
      return null
    }
  }

  /** Calls the error hook. Exceptions from the hook are ignored. */
  fault(fault: EngineFault): void {
    try {
      this.#parts.onError(fault)
    } catch {
      // An exception from the hook must not change the result.
    }
  }

  /** Writes a line to the audit log. A failure does not affect the call. */
  async #audit(
    request: DecisionRequest,
    fields: Pick<AuditRecord, 'event'> & Record<string, string | null>,
  ): Promise<void> {
    const { auditLog, timeoutMs, clock } = this.#parts
    if (auditLog === null) return
    const { requestId, action, agentId } = request.context
    try {
      const timestamp = clock().toISOString()
      const record = { timestamp, request_id: requestId, action, agent_id: agentId, ...fields }
      await within(timeoutMs, 'audit log', () => auditLog.write(record))
    } catch (error) {
      this.fault({ stage: 'audit', requestId, error })
    }
  }
}

/**
 * The refusal of a decision by the ledger; null if the error leaves open whether it was recorded. An ENTRY_REFUSED
 * counts for an allowed call whose question is recorded: then a denial can still be recorded.
 */
function refusalOf(error: unknown, { effect, approval }: Decision): DraftRefused | null {
  const refused = draftRefusal(error)
  if (refused?.code !== 'ENTRY_REFUSED') return refused
  return effect === 'allow' && approval?.requirement !== undefined ? refused : null
}

function outcomeBlock(
  { reason, reasonCode }: Decision,
  failure?: Pick<OutcomeBlock, 'error_type' | 'error'>,
): OutcomeBlock {
  const status = failure === undefined ? 'success' : 'error'
  return { status, reason, reason_code: reasonCode, ...(failure ?? { error_type: null, error: null }) }
}

function auditRecord(draft: EntryDraft, effect: string): AuditRecord {
  const { created_at: timestamp, request_id, action, agent_id, decision } = draft
  const { reason, reason_code, policy_id, decision_hash } = decision
  return {
    timestamp,
    event: 'decision',
    request_id,
    action,
    agent_id,
    effect,
    reason,
    reason_code,
    policy_id,
    decision_hash,
  }
}

function policyResult({ decision, reason, reasonCode }: CheckedPolicyResult) {
  return { decision, reason, reason_code: reasonCode }
}
