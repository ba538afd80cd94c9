// Puts decisions and outcomes on record. A decision must be durable before anything runs, so every fault here is an AuditLogError; an
// outcome is best effort, so no fault here reaches the caller.
import {
  type AppendedEntry,
  type EntryDraft,
  formatTimestamp,
  LedgerError,
  type LedgerErrorCode,
  type OutcomeBlock,
  type PreparedEntry,
} from '@sudoagent/ledger'
import type { AuditRecord } from '../audit-log.js'
import { memberOf } from '../check.js'
import { AuditLogError, makeDenial } from '../error.js'
import type { EngineFault, EngineParts } from '../options.js'
import type { PolicyResult } from '../policy/policy.js'
import { within } from './deadline.js'
import { type Decision, type DecisionRequest, decisionDraft, outcomeDraft } from './decision.js'
import { describeFailure } from './failure.js'

/** After these the ledger takes nothing more from this writer: the same call later fails alike. */
const FOR_GOOD: ReadonlySet<LedgerErrorCode> = new Set<LedgerErrorCode>([
  'KEY_REFUSED',
  'ORIGIN_REFUSED',
  'LEDGER_FINISHED',
  'LEDGER_DAMAGED',
  'LEDGER_CLOSED',
])

type RecorderParts = Pick<EngineParts, 'ledger' | 'auditLog' | 'timeoutMs' | 'clock' | 'redactor' | 'onError'>

/** How a call ended. */
export type CallOutcome = { readonly status: 'success' } | { readonly status: 'error'; readonly error: unknown }

export class Recorder {
  readonly #parts: RecorderParts
  /** Outcomes of calls under way, as they will be if the call ends well; null where that is not wanted any more. */
  readonly #prepared = new WeakMap<DecisionRequest, PreparedEntry | null>()
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
    ruling: Decision,
    cause?: unknown,
    letThrough?: Required<PolicyResult>,
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
        const appended = ledger.append(draft)
        if (ruling.effect === 'allow') this.#prepareOutcome(request, ruling)
        return appended
      })
      // A ledger that cannot say where the entry stands has not shown that it has it.
      const position = memberOf(entry, 'position')
      if (!Number.isSafeInteger(position)) throw new TypeError('the ledger did not say where the entry stands')
      return { position: position as number }
    } catch (error) {
      const code = 'LEDGER_WRITE_FAILED_DECISION'
      await this.#audit(request, {
        event: 'error',
        reason_code: code,
        error: describeFailure(error, this.#parts.redactor).error,
      })
      const { requestId } = request.context
      const isForGood = error instanceof LedgerError && FOR_GOOD.has(error.code)
      if (isForGood) this.fault({ stage: 'decision', requestId, error })
      const reason = 'the decision could not be put on record'
      throw new AuditLogError(makeDenial(code, reason, requestId, request.decisionHash, !isForGood), error)
    }
  }

  /** Writes an outcome. @returns whether it is on record; it never throws */
  async outcome(request: DecisionRequest, ruling: Decision, outcome: CallOutcome): Promise<boolean> {
    const { ledger, timeoutMs, clock, redactor } = this.#parts
    try {
      const failure = outcome.status === 'error' ? describeFailure(outcome.error, redactor) : undefined
      const block = outcomeBlock(ruling, failure)
      const prepared = failure === undefined ? this.#prepared.get(request) : undefined
      this.#prepared.set(request, null)
      await within(timeoutMs, 'ledger', () => {
        if (prepared) return prepared.append(formatTimestamp(clock()))
        return ledger.append(outcomeDraft(request, ruling, block, clock()))
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
   * While a decision is on its way to a disk far away, nothing is to do: that is when the outcome of a call that ends well is encoded. It is no more
   * than a draft; a call that fails, or a ledger that refuses it now, takes the usual way.
   */
  #prepareOutcome(request: DecisionRequest, ruling: Decision): void {
    const { ledger } = this.#parts
    if (ledger.prepare === undefined) return
    setImmediate(() => {
      // Over already.
      if (this.#prepared.has(request)) return
      try {
        const draft = outcomeDraft(request, ruling, outcomeBlock(ruling), new Date(0))
        const prepared = ledger.prepare?.(draft)
        // A ledger of somebody's own may mean something else by the name.
        this.#prepared.set(request, typeof prepared?.append === 'function' ? prepared : null)
      } catch {
        // Appending it will say why.
      }
    })
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

function policyResult({ decision, reason, reasonCode }: Required<PolicyResult>) {
  return { decision, reason, reason_code: reasonCode }
}
