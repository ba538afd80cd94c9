// An airline's booking system and the rules for the agent that works it. Used by the demo and by the replay of recorded calls.
import type { ApprovalAnswer, ApprovalRequest, Approver, Context, Policy, PolicyResult } from '@sudoagent/core'

/** One recorded tool call: what the model asked for, and what the tool answered then. */
export interface RecordedCall {
  readonly run: string
  readonly call_id: string
  readonly tool: string
  readonly arguments: Readonly<Record<string, unknown>>
  readonly result: string
}

/** Reads change nothing, so they run. */
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
/** What a customer cannot easily take back is looked at by a person first. */
const ASK_FIRST = new Set([
  'cancel_reservation',
  'update_reservation_flights',
  'update_reservation_baggages',
  'update_reservation_passengers',
])

/** Certificates are money: above this amount, in dollars, the agent may not hand one out at all. */
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

/** Stands in for a person at the desk: nobody may move a booking into business class on an agent's word. */
export class DeskApprover implements Approver {
  approve({ kwargs }: ApprovalRequest): ApprovalAnswer {
    return kwargs.cabin === 'business'
      ? { approved: false, approverId: 'desk', reason: 'no upgrades to business class' }
      : { approved: true, approverId: 'desk' }
  }
}
