/**
 * Why a call has no result, in words for the model and under a code for programs: each cause has its own, and where the tool may have run
 * nevertheless, the words say so.
 */
import { CallCancelled, type Denial } from '@sudoagent/core'
import { GivenUp, GONE, PeerGone } from '../wire/peer.js'

export const SERVER_ENDED = 'the server has ended'
export const CLIENT_GONE = GONE

/** What went wrong with a call that was allowed: its outcome's `error_type` is the code. */
export class CallFailure extends Error {
  override readonly name: string

  constructor(code: string, message: string) {
    super(message)
    this.name = code
  }
}

/** @param error - what sending the call, or waiting for its answer, threw; not an answer of the server's own */
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

/** The client gave the call up after it was allowed, and before it was sent. */
export const notSent = (reason: unknown): CallFailure =>
  new CallFailure(codeOf(reason), `cancelled before it was sent to the server; ${DID_NOT_RUN}`)

const MAY_HAVE_RUN = 'it was sent to the server and may have run'
const DID_NOT_RUN = 'it did not run'

/** Why a call is given up that waits for its approval. */
export function cancellation(reason: unknown): CallCancelled {
  const code = codeOf(reason)
  const cause = code === 'CALL_CANCELLED' ? 'the client cancelled the call' : String(reason)
  return new CallCancelled(code, `${cause} while an approval was open`)
}

/** Why no call of a session is taken any more. */
export const ended = (reason: string): { readonly code: string; readonly reason: string } => ({
  code: ENDINGS.get(reason) ?? 'GUARD_STOPPED',
  reason: `the session is over: ${reason}`,
})

/** Why a session ends; for any other reason the guard ends it. */
const ENDINGS: ReadonlyMap<string, string> = new Map([
  [SERVER_ENDED, 'SERVER_ENDED'],
  [CLIENT_GONE, 'CLIENT_GONE'],
  ['the guard is stopping', 'GUARD_STOPPED'],
  ['the guard was told to stop', 'GUARD_STOPPED'],
  ['the session was idle', 'GUARD_STOPPED'],
])

const codeOf = (reason: unknown): string => ENDINGS.get(String(reason)) ?? 'CALL_CANCELLED'

/** What a model is to do about a denial, in the words of its cause. Every other code is a policy's no. */
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
  ['GUARD_STOPPED', 'The session is over: no call of it can run any more.'],
])

export function adviceFor({ code, retryable }: Denial): string {
  if (retryable) return 'The call did not run. It must not be retried unchanged now; it may succeed later.'
  const advice = ADVICE.get(code) ?? 'It was denied by policy and must not be retried unchanged.'
  return `The call did not run. ${advice}`
}
