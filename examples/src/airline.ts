// An airline's booking system, and the rules for the agent that uses it. The demo and the replay of recorded calls
// share this file.
import type { ApprovalAnswer, ApprovalRequest, Approver, Context, Policy, PolicyResult } from '@sudoagent/core'

/** One recorded tool call: the model's request, and the tool's answer at that time. */
export interface RecordedCall {
  readonly run: string
  readonly call_id: string
  readonly tool: string
  readonly arguments: Readonly<Record<string, unknown>>
  readonly result: string
}

/** Reads change nothing, so they are allowed. */
const READS = new Set([
  'get_reservation_details',
  'get_user_details',
  'search_direct_flight',
  'search_onestop_flight',
  'list_all_airports',
  'calculate',
  'think',
  'transfer_to_human_agents',
])
/** Calls that a customer cannot easily reverse need an approval. */
const ASK_FIRST = new Set([
  'cancel_reservation',
  'update_reservation_flights',
  'update_reservation_baggages',
  'update_reservation_passengers',
])

/** The largest certificate that the agent may issue, in dollars. Certificates are worth money. */
export const CERTIFICATE_LIMIT = 100

export class AirlinePolicy implements Policy {
  readonly policyId = 'airline'
  readonly version = '1'

  evaluate({ action, kwargs }: Context): PolicyResult {
    if (READS.has(action)) return { decision: 'allow', reason: 'reads are allowed' }
    if (ASK_FIRST.has(action)) return { decision: 'require_approval', reason: `${action} changes a booking` }
    if (action === 'book_reservation') return { decision: 'allow', reason: 'bookings are allowed within the budget' }
    if (action === 'send_certificate') {
      const { amount } = kwargs
      return typeof amount === 'number' && amount <= CERTIFICATE_LIMIT
        ? { decision: 'allow', reason: `certificate of at most ${CERTIFICATE_LIMIT}` }
        : { decision: 'deny', reason: `certificate above ${CERTIFICATE_LIMIT}` }
    }
    return { decision: 'deny', reason: 'not a tool of this system' }
  }
}

/** Simulates a person at the desk, who never approves an upgrade to business class. */
export class DeskApprover implements Approver {
  approve({ kwargs }: ApprovalRequest): ApprovalAnswer {
    return kwargs.cabin === 'business'
      ? { approved: false, approverId: 'desk', reason: 'no upgrades to business class' }
      : { approved: true, approverId: 'desk' }
  }
}
