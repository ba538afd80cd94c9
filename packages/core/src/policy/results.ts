// Functions that create policy results.
import type { PolicyResult } from './policy.js'

/**
 * The call may run.
 *
 * @param reason - the recorded reason, for people
 * @param reasonCode - the reason code, for programs; default: the standard code
 * @example evaluate: ({ kwargs }) => (kwargs.amount === 0 ? allow('nothing to pay') : ask('a payment'))
 */
export const allow = (reason: string, reasonCode?: string): PolicyResult => result('allow', reason, reasonCode)

/** The call must not run. */
export const deny = (reason: string, reasonCode?: string): PolicyResult => result('deny', reason, reasonCode)

/** The call may run if an approver approves it. */
export const ask = (reason: string, reasonCode?: string): PolicyResult => result('require_approval', reason, reasonCode)

const result = (decision: PolicyResult['decision'], reason: string, reasonCode: string | undefined): PolicyResult => ({
  decision,
  reason,
  ...(reasonCode === undefined ? {} : { reasonCode }),
})
