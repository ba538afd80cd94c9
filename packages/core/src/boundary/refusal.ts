// The refusal of a call by a step of the boundary. It is recorded first and then becomes the caller's error.
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

/** The kind of the caller's error. */
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

  /** Makes the caller's error, after the refusal was recorded. */
  toError(denial: Denial, action: string): CallDenied {
    return new ERRORS[this.kind](denial, { action, cause: this.cause })
  }
}

/** The refusal for an unexpected exception of a step: the call does not run, and the failure is recorded. */
export function boundaryRefusal(cause: unknown): Refusal {
  return new Refusal({ kind: 'boundary', code: 'BOUNDARY_FAILED', reason: 'the boundary failed', cause })
}
