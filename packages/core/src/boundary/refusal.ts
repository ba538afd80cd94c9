// How a step of the boundary says no. A refusal is put on record first and becomes the caller's error after that.
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

/** Which error the caller gets. */
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

/** Thrown by a step, caught by the engine, never seen outside. */
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

  /** The error for the caller, once the refusal is on record. */
  toError(denial: Denial): SudoAgentError {
    return new ERRORS[this.kind](denial, this.cause)
  }
}
