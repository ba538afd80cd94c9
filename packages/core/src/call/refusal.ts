// Defines the refusal of a call by one of the boundary's steps. A refusal is recorded, then converted to the error for
// the caller.
import type { ApprovalBlock, BudgetBlock } from '@sudoagent/ledger/entry'
import { ownFields } from '@sudoagent/ledger/store'
import {
  ApprovalDenied,
  ApprovalError,
  BoundaryError,
  type CallDenied,
  type Denial,
  type DenialDetails,
  ParametersError,
  PolicyError,
} from '../error.js'
import type { ReasonCode } from '../policy/reason-code.js'

/** Selects the class of the error for the caller. */
export type RefusalKind = 'denied' | 'policy' | 'approval' | 'parameters' | 'boundary'

const ERRORS: { readonly [kind in RefusalKind]: new (denial: Denial, details: DenialDetails) => CallDenied } = {
  denied: ApprovalDenied,
  policy: PolicyError,
  approval: ApprovalError,
  parameters: ParametersError,
  boundary: BoundaryError,
}

interface RefusalFacts {
  readonly kind?: RefusalKind
  readonly code: ReasonCode | (string & {})
  readonly reason: string
  readonly cause?: unknown
  readonly approval?: ApprovalBlock
  readonly budget?: BudgetBlock
}

/** Thrown by a step and caught by the engine; callers never receive it. */
export class Refusal extends Error {
  readonly kind: RefusalKind
  readonly code: string
  readonly reason: string
  readonly approval: ApprovalBlock | null
  readonly budget: BudgetBlock | null

  constructor(facts: RefusalFacts) {
    const { kind = 'denied', code, reason, cause, approval, budget } = ownFields(facts)
    super(reason, cause === undefined ? undefined : { cause })
    this.kind = kind
    this.code = code
    this.reason = reason
    this.approval = approval ?? null
    this.budget = budget ?? null
  }

  /** Creates the error for the caller, after the refusal was recorded. */
  toError(denial: Denial, action: string): CallDenied {
    return new ERRORS[this.kind](denial, { action, cause: this.cause })
  }
}

/** Creates the refusal for an unexpected exception in a step. The call does not run, and the failure is recorded. */
export function boundaryRefusal(cause: unknown): Refusal {
  return new Refusal({ kind: 'boundary', code: 'BOUNDARY_FAILED', reason: 'an internal error occurred', cause })
}
