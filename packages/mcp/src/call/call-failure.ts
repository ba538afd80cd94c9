/**
 * Explains why a call has no result: a text for the model and a code for programs. Each cause has its own code, and
 * the text says if the tool may have run.
 */
import { CallCancelled, type Denial } from '@sudoagent/core'
import { GivenUp, GONE, PeerGone } from '../wire/peer.js'

export const SERVER_ENDED = 'the server has ended'
export const CLIENT_GONE = GONE

/** The failure of an allowed call; the code becomes `error_type` of its outcome. */
export class CallFailure extends Error {
  override readonly name: string

  constructor(code: string, message: string) {
    super(message)
    this.name = code
  }
}

/** @param error - thrown while the call was sent or its answer awaited; not an error that the server answered */
export function failureOf(error: unknown, { aborted, reason }: Pick<AbortSignal, 'aborted' | 'reason'>): CallFailure {
  if (error instanceof PeerGone) {
    return error.sent
      ? new CallFailure('SERVER_ENDED', `the server ended during the call; ${MAY_HAVE_RUN}`)
      : new CallFailure('SERVER_ENDED', `the server had ended before the call was sent; ${DID_NOT_RUN}`)
  }
  if (!(error instanceof GivenUp))
    return new CallFailure('GUARD_FAILED', `internal error of the guard; ${MAY_HAVE_RUN}`)
  const code = aborted ? codeOf(reason) : error.message.startsWith('no answer') ? 'SERVER_TIMEOUT' : 'ANSWER_REFUSED'
  return new CallFailure(code, `${error.message}; ${MAY_HAVE_RUN}`)
}

/** The client cancelled the call after it was allowed and before it was sent. */
export const notSent = (reason: unknown): CallFailure =>
  new CallFailure(codeOf(reason), `cancelled before it was sent to the server; ${DID_NOT_RUN}`)

const MAY_HAVE_RUN = 'it was sent to the server and may have run'
const DID_NOT_RUN = 'it did not run'

/** The reason for cancelling a call that waits for its approval. */
export function cancellation(reason: unknown): CallCancelled {
  const code = codeOf(reason)
  const cause = code === 'CALL_CANCELLED' ? 'the client cancelled the call' : String(reason)
  return new CallCancelled(code, `${cause} while an approval was open`)
}

/** The refusal of all calls after the end of a session. */
export const ended = (reason: string): { readonly code: string; readonly reason: string } => ({
  code: ENDINGS.get(reason) ?? 'GUARD_STOPPED',
  reason: `the session is over: ${reason}`,
})

/** Codes by reason for the end of a session; for any other reason, the guard ended it. */
const ENDINGS: ReadonlyMap<string, string> = new Map([
  [SERVER_ENDED, 'SERVER_ENDED'],
  [CLIENT_GONE, 'CLIENT_GONE'],
  ['the guard is stopping', 'GUARD_STOPPED'],
  ['the guard was stopped', 'GUARD_STOPPED'],
  ['the session was idle', 'GUARD_STOPPED'],
])

const codeOf = (reason: unknown): string => ENDINGS.get(String(reason)) ?? 'CALL_CANCELLED'

/** Advice for the model by denial code. Any other code comes from a policy. */
const ADVICE: ReadonlyMap<string, string> = new Map([
  ['APPROVAL_DENIED', 'It was not approved and must not be retried unchanged.'],
  ['PARAMETERS_INVALID', 'Its arguments are refused: it must not be retried with the same arguments.'],
  ['PARAMETERS_CHANGED', 'Its arguments changed after the decision.'],
  ['ARGUMENTS_CONCEALED', 'Its arguments hide a part of themselves: it must not be retried with the same arguments.'],
  ['POLICY_EVALUATION_FAILED', 'The policy could not decide on it: it must not be retried unchanged.'],
  ['TOOL_UNKNOWN', 'List the tools of the server before calling it again.'],
  ['TOOL_DEFINITION_CHANGED', 'It must not be retried before an operator has accepted the new definition of the tool.'],
  ['TOOL_NOT_ACCEPTED', 'It must not be retried before an operator has accepted the tool.'],
  ['CALL_CANCELLED', 'It was cancelled by the client.'],
  ['CLIENT_GONE', 'The session is over.'],
  ['SERVER_ENDED', 'The server is gone: no call of this session can run any more.'],
  ['GUARD_STOPPED', 'The session is over: no further calls can run.'],
])

export function adviceFor({ code, retryable }: Denial): string {
  if (retryable) return 'The call did not run. It must not be retried unchanged now; it may succeed later.'
  const advice = ADVICE.get(code) ?? 'It was denied by policy and must not be retried unchanged.'
  return `The call did not run. ${advice}`
}
