// Puts decisions and outcomes on record. A decision must be durable before anything runs, so every fault here is an AuditLogError; an
// outcome is best effort, so no fault here reaches the caller.
import type { AppendedEntry, EntryDraft, OutcomeBlock } from '@sudoagent/ledger'
import type { AuditRecord } from './audit-log.js'
import { within } from './deadline.js'
import { type DecisionRequest, decisionDraft, outcomeDraft, type Ruling } from './decision.js'
import { AuditLogError, makeDenial } from './error.js'
import { describeFailure } from './failure.js'
import type { EngineFault, EngineParts } from './options.js'
import type { PolicyResult } from './policy.js'

type RecorderParts = Pick<EngineParts, 'ledger' | 'auditLog' | 'timeoutMs' | 'clock' | 'redactor' | 'onError'>

/** How a call ended. */
export type CallOutcome = { readonly status: 'success' } | { readonly status: 'error'; readonly error: unknown }

export class Recorder {
  readonly #parts: RecorderParts
  #outcomeFailures = 0

  constructor(parts: RecorderParts) {
    this.#parts = parts
  }

  /** How many outcomes could not be recorded. */
  get outcomeFailures(): number {
    return this.#outcomeFailures
  }

  /**
   * Writes a decision: the audit log first, then the ledger, so that what could not even be logged never becomes evidence.
   *
   * @param cause - the error behind a refusal; its type and redacted message join the metadata
   * @param letThrough - what the policy said of a call that a later step refused; the entry's own reason is that step's, so this joins the
   * metadata: which rule asked for the approval that was not given
   * @throws AuditLogError when either cannot be written: the call must not run
   */
  async decision(
    request: DecisionRequest,
    ruling: Ruling,
    cause?: unknown,
    letThrough?: Required<PolicyResult>,
  ): Promise<AppendedEntry> {
    const { auditLog, ledger, timeoutMs } = this.#parts
    const extra = {
      ...(cause === undefined ? {} : { failure: { ...describeFailure(cause, this.#parts.redactor) } }),
      ...(letThrough === undefined ? {} : { policy_result: policyResult(letThrough) }),
    }
    try {
      const draft = decisionDraft(request, ruling, extra)
      await within(timeoutMs, 'audit log', () => auditLog?.write(auditRecord(draft, ruling.effect)))
      const entry: AppendedEntry | undefined = await within(timeoutMs, 'ledger', () => ledger.append(draft))
      // A ledger that cannot say where the entry stands has not shown that it has it.
      if (!Number.isSafeInteger(entry?.position)) throw new TypeError('the ledger did not say where the entry stands')
      return entry
    } catch (error) {
      const code = 'LEDGER_WRITE_FAILED_DECISION'
      await this.#audit(request, {
        event: 'error',
        reason_code: code,
        error: describeFailure(error, this.#parts.redactor).error,
      })
      const { requestId } = request.context
      throw new AuditLogError(
        makeDenial(code, 'the decision could not be put on record', requestId, request.decisionHash),
        error,
      )
    }
  }

  /** Writes an outcome. @returns whether it is on record; it never throws */
  async outcome(request: DecisionRequest, ruling: Ruling, outcome: CallOutcome): Promise<boolean> {
    const { ledger, timeoutMs, clock, redactor } = this.#parts
    try {
      const failure =
        outcome.status === 'error' ? describeFailure(outcome.error, redactor) : { error_type: null, error: null }
      const block: OutcomeBlock = {
        status: outcome.status,
        reason: ruling.reason,
        reason_code: ruling.reasonCode,
        ...failure,
      }
      const draft = outcomeDraft(request, ruling, block, clock())
      await within(timeoutMs, 'ledger', () => ledger.append(draft))
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

  /** Tells the hook; a hook that throws changes nothing. */
  fault(fault: EngineFault): void {
    try {
      this.#parts.onError(fault)
    } catch {
      // The hook is told, not asked.
    }
  }

  /** An audit line that nobody depends on. */
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

function policyResult({ decision, reason, reasonCode }: Required<PolicyResult>) {
  return { decision, reason, reason_code: reasonCode }
}
