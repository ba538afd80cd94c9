// Denies calls: records the denial, or answers a call that the ledger has decided already.
import { LedgerError } from '@sudoagent/ledger'
import { formatTimestamp, REASON_LENGTH_MAX } from '@sudoagent/ledger/entry'
import type { RecordedEntry } from '@sudoagent/ledger/store'
import { ApprovalDenied, AuditLogError, type CallDenied, makeDenial } from '../error.js'
import type { CheckedCallOptions, EngineParts } from '../options.js'
import type { CheckedPolicyResult } from '../policy/policy.js'
import type { ReasonCode } from '../policy/reason-code.js'
import type { Decision, DecisionRequest } from './decision.js'
import { DraftRefused, type DraftRefusedCode } from './draft-refused.js'
import type { Recorder } from './recorder.js'
import { boundaryRefusal, Refusal } from './refusal.js'

/** The results of the steps before a refusal. */
export interface Found extends Pick<Decision, 'approval' | 'budget'> {
  /** The policy's result for a call that a later step refused. */
  readonly letThrough: CheckedPolicyResult | null
}

/** A denied call. */
export interface Denied {
  /** The error for the caller. */
  readonly denied: CallDenied
  /** Whether a denial of the call is recorded, so that its charge can be released. */
  readonly isDenied: boolean
}

/** For a call that was refused in the first step. */
const NOTHING_FOUND: Found = { approval: null, budget: null, letThrough: null }

type Terms = Pick<CheckedCallOptions, 'once'>

export class Denials {
  readonly #parts: EngineParts
  readonly #recorder: Recorder

  constructor(parts: EngineParts, recorder: Recorder) {
    this.#parts = parts
    this.#recorder = recorder
  }

  /**
   * Records a refusal.
   *
   * @throws AuditLogError if the refusal cannot be recorded
   */
  async refuse(
    request: DecisionRequest,
    { once }: Terms,
    refusal: Refusal,
    found: Found = NOTHING_FOUND,
  ): Promise<Denied> {
    const { code: reasonCode, cause } = refusal
    const reason = this.#parts.redactor.text(refusal.reason).slice(0, REASON_LENGTH_MAX).toWellFormed()
    const approval = this.withoutSecret(refusal.approval ?? found.approval)
    const budget = refusal.budget ?? found.budget
    const ruling = { effect: 'deny', reason, reasonCode, approval, budget } as const
    const denied = refusal.toError(makeDenial(reasonCode, reason, ...idsOf(request)), request.context.action)
    try {
      await this.#recorder.decision(request, ruling, cause, found.letThrough ?? undefined, once)
      return { denied, isDenied: true }
    } catch (error) {
      if (!(error instanceof DraftRefused)) throw error
      if (error.code === 'ENTRY_REFUSED') throw unrecorded(request, error)
      // Another process has recorded the same denial.
      if (error.recorded?.effect === 'deny') return { denied, isDenied: true }
      return this.#answerFromLedger(request, error)
    }
  }

  /** Refuses a call whose question or decision the rules of the ledger forbid. */
  async refuseDraft(request: DecisionRequest, terms: Terms, error: DraftRefused, found: Found): Promise<Denied> {
    const { code, message } = error
    if (code === 'QUESTION_CLOSED' || code === 'CALL_DECIDED') return this.#answerFromLedger(request, error)
    if (code !== 'ENTRY_REFUSED')
      return await this.refuse(request, terms, new Refusal({ code, reason: message }), found)
    const deadline = found.approval?.expires_at ?? null
    const isOver = deadline !== null && deadline <= formatTimestamp(this.#parts.clock())
    const refusal = isOver
      ? new Refusal({ code: 'APPROVAL_EXPIRED', reason: 'the approval expired before the decision could be recorded' })
      : boundaryRefusal(error)
    return await this.refuse(request, terms, refusal, found)
  }

  /** The error for a call that the ledger has decided already; nothing is recorded. */
  #answerFromLedger(request: DecisionRequest, { code, recorded, cause }: DraftRefused): Denied {
    const [denialCode, reason] = answerOf(code, recorded)
    const denial = makeDenial(denialCode, reason, ...idsOf(request))
    return {
      denied: new ApprovalDenied(denial, { action: request.context.action, cause }),
      isDenied: recorded?.effect === 'deny',
    }
  }

  /** Redacts the approver's name. The name is untrusted text: over MCP, the client chooses it. */
  withoutSecret(approval: Decision['approval']): Decision['approval'] {
    if (approval === null || approval.approver_id === null) return approval
    return { ...approval, approver_id: this.#parts.redactor.text(approval.approver_id) }
  }

  /** Reports a ledger that is an older copy of itself: only an operator can mend it. */
  reportDamage(request: DecisionRequest, error: unknown): void {
    const cause: unknown = error instanceof Refusal ? error.cause : error
    if (!(cause instanceof LedgerError) || cause.code !== 'LEDGER_DAMAGED') return
    this.#recorder.fault({ stage: 'approval', requestId: request.context.requestId, error: cause })
  }
}

/** The request id and the decision hash of a call, as `makeDenial` takes them. */
const idsOf = ({ context, decisionHash }: DecisionRequest): [requestId: string, decisionHash: string] => [
  context.requestId,
  decisionHash,
]

/** The error for a denial that the ledger refuses. */
function unrecorded(request: DecisionRequest, { cause }: DraftRefused): AuditLogError {
  const reason = 'the decision could not be recorded'
  const denial = makeDenial('LEDGER_WRITE_FAILED_DECISION', reason, ...idsOf(request))
  return new AuditLogError(denial, { action: request.context.action, cause })
}

function answerOf(code: DraftRefusedCode, recorded: RecordedEntry | null): readonly [ReasonCode, string] {
  const at = recorded === null ? '' : ` (entry ${recorded.position})`
  if (code === 'CALL_DECIDED') return ['CALL_DECIDED', `the ledger has an entry of this request id already${at}`]
  return recorded === null
    ? ['APPROVAL_EXPIRED', 'the question expired before the decision was recorded']
    : ['APPROVAL_ALREADY_USED', `another process has recorded the decision of this call${at}`]
}
