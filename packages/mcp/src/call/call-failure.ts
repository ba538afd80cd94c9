/**
 * Explains why a call has no result: a text for the model and a code for programs. Each cause has its own code, and
 * the text says whether the tool may have run.
 */
import { CallCancelled, type Denial } from '@sudoagent/core'
import { TOOL_ERROR_LENGTH_MAX } from '../limits.js'
import { GivenUp, GONE, PeerGone } from '../wire/peer.js'

/** The reason with which `GuardSession.closed` resolves if the server disconnected. */
export const SERVER_ENDED = 'the server disconnected'
export const CLIENT_GONE = GONE

/** The failure of an allowed call; the code becomes `error_type` of its outcome. */
export class CallFailure extends Error {
  override readonly name: string

  constructor(code: string, message: string) {
    super(message)
    this.name = code
  }
}

/**
 * @param error - the error that was thrown while the guard sent the call or waited for the response; not an error
 *   response from the server
 */
export function failureOf(error: unknown, { aborted, reason }: Pick<AbortSignal, 'aborted' | 'reason'>): CallFailure {
  if (error instanceof PeerGone) {
    return error.sent
      ? new CallFailure('SERVER_ENDED', `the server disconnected during the call; ${MAY_HAVE_RUN}`)
      : new CallFailure('SERVER_ENDED', `the server disconnected before the call was sent; ${DID_NOT_RUN}`)
  }
  if (!(error instanceof GivenUp))
    return new CallFailure('GUARD_FAILED', `internal error in the guard; ${MAY_HAVE_RUN}`)
  const code = aborted ? codeOf(reason) : error.message.startsWith('no answer') ? 'SERVER_TIMEOUT' : 'ANSWER_REFUSED'
  return new CallFailure(code, `${error.message}; ${MAY_HAVE_RUN}`)
}

/** The client cancelled the call after it was allowed and before it was sent. */
export const notSent = (reason: unknown): CallFailure =>
  new CallFailure(codeOf(reason), `the call was cancelled before it was sent to the server; ${DID_NOT_RUN}`)

const MAY_HAVE_RUN = 'the call was sent to the server and may have run'
const DID_NOT_RUN = 'the call did not run'

/** The reason for the denial of a call that its client cancelled. */
export const cancellation = (): CallCancelled =>
  new CallCancelled('CALL_CANCELLED', 'the client cancelled the call while an approval was pending')

/** Whether a request was aborted because the session ended, not because the client cancelled it. */
export const endsSession = (reason: unknown): boolean => ENDINGS.has(String(reason))

/** The refusal of every call that arrives after the session ended. */
export const ended = (reason: string): { readonly code: string; readonly reason: string } => ({
  code: ENDINGS.get(reason) ?? 'GUARD_STOPPED',
  reason: `the session is closed: ${reason}`,
})

/**
 * Maps the reason why a session ended to the code for its calls. For any other reason, the code is CALL_CANCELLED.
 */
const ENDINGS: ReadonlyMap<string, string> = new Map([
  [SERVER_ENDED, 'SERVER_ENDED'],
  [CLIENT_GONE, 'CLIENT_GONE'],
  ['the guard stopped', 'GUARD_STOPPED'],
  ['the guard was stopped', 'GUARD_STOPPED'],
  ['the session was idle', 'GUARD_STOPPED'],
])

const codeOf = (reason: unknown): string => ENDINGS.get(String(reason)) ?? 'CALL_CANCELLED'

/** Maps denial codes to advice for the model. Any other code comes from a policy. */
const ADVICE: ReadonlyMap<string, string> = new Map([
  ['APPROVAL_DENIED', 'It was not approved. Do not retry it unchanged.'],
  ['PARAMETERS_INVALID', 'Its arguments were rejected. Do not retry it with the same arguments.'],
  ['PARAMETERS_CHANGED', 'Its arguments changed after the decision was made.'],
  ['ARGUMENTS_CONCEALED', 'Parts of its arguments cannot be seen. Do not retry it with the same arguments.'],
  ['POLICY_EVALUATION_FAILED', 'The policy could not be evaluated for this call. Do not retry it unchanged.'],
  ['TOOL_UNKNOWN', 'List the tools of the server again before you retry it.'],
  ['TOOL_DEFINITION_CHANGED', 'Do not retry it until an operator accepts the new definition of the tool.'],
  ['TOOL_NOT_ACCEPTED', 'Do not retry it until an operator accepts the tool.'],
  ['AUTHORITY_INVALID', 'The subject that it acts for was rejected. Do not retry it unchanged.'],
  ['STOPPED', 'An operator stopped such calls. Do not retry it until the operator resumes them.'],
  ['CALL_CANCELLED', 'The client cancelled it.'],
  ['CLIENT_GONE', 'The session is closed.'],
  ['SERVER_ENDED', 'No more calls can run in this session, because the server disconnected.'],
  ['GUARD_STOPPED', 'No more calls can run in this session, because it is closed.'],
])

/** Codes of calls that another process has decided: that process may have run the call. */
const DECIDED_ELSEWHERE: readonly string[] = ['APPROVAL_ALREADY_USED', 'CALL_DECIDED']

export function adviceFor({ code, retryable }: Denial): string {
  if (DECIDED_ELSEWHERE.includes(code))
    return 'This request did not run the call. Another process decided it and may have run it. Do not retry it.'
  if (retryable) return 'The call did not run. It may succeed later. Wait before you retry it.'
  const advice = ADVICE.get(code) ?? 'The policy denied it. Do not retry it unchanged.'
  return `The call did not run. ${advice}`
}

/** The tool ran and reported an error. */
export class ToolError extends Error {
  override readonly name = 'ToolError'
}

/** The text of a result, for the outcome. */
export function wordsOf(result: object): string {
  const { content } = result as { content?: unknown }
  const words = Array.isArray(content) ? content.map((part) => (part as { text?: unknown } | null)?.text) : []
  return words
    .filter((word) => typeof word === 'string')
    .join(' ')
    .slice(0, TOOL_ERROR_LENGTH_MAX)
}
