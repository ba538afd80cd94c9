// The refusal of a call by a step of the boundary. It is recorded first and then becomes the caller's error.
import type { ApprovalBlock, BudgetBlock } from '@sudoagent/ledger'
import { ownFields } from '@sudoagent/ledger/store'
import {
  ApprovalDenied,
  ApprovalError,
  type Denial,
  ParametersError,
  PolicyError,
  type SudoAgentError,
} from '../error.js'
import type { ReasonCode } from '../policy/reason-code.js'

/** The kind of the caller's error. */
export type RefusalKind = 'denied' | 'policy' | 'approval' | 'parameters'

const ERRORS: { readonly [kind in RefusalKind]: new (denial: Denial, cause?: unknown) => SudoAgentError } = {
  denied: ApprovalDenied,
  policy: PolicyError,
  approval: ApprovalError,
  parameters: ParametersError,
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
  toError(denial: Denial): SudoAgentError {
    return new ERRORS[this.kind](denial, this.cause)
  }
}
