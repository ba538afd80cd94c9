/**
 * Asks the user through the client, with the form mode of MCP's `elicitation/create`.
 *
 * The answer is only as trustworthy as the client. A client that is an agent itself can approve without asking
 * anyone, so the answer is recorded as `mcp-client:<name>`, and the client is asked only if the deployment enables
 * it. The request has an id of the guard: a server cannot answer it, and a server's own elicitation is answered to
 * the server.
 */
import type { ApprovalAnswer, ApprovalRequest } from '@sudoagent/core'
import { encodeJcs } from '@sudoagent/crypto/json'
import { escapeForTerminal } from '@sudoagent/crypto/text'
import { APPROVER_NAME_LENGTH_MAX, SHOWN_ARGUMENTS_LENGTH_MAX } from '../limits.js'
import { GivenUp, PeerGone } from '../wire/peer.js'
import { RpcError } from '../wire/rpc-error.js'

/** Sends `elicitation/create` to the client. */
export type AskClient = (
  params: Readonly<Record<string, unknown>>,
  terms: { timeoutMs: number; signal: AbortSignal },
) => Promise<object>

export interface ElicitationOptions {
  /** The name that the client reports. */
  readonly clientName: string
  readonly note: (text: string) => void
}

/**
 * @returns the answer of the client; null if it cannot ask, it failed, the user closed the form, or the form could
 *   not show all arguments
 */
export async function elicitApproval(
  ask: AskClient,
  { clientName, note }: ElicitationOptions,
  request: ApprovalRequest,
  signal: AbortSignal,
): Promise<ApprovalAnswer | null> {
  const timeoutMs = Math.max(1, request.expiresAt.getTime() - request.createdAt.getTime())
  const question = questionOf(request)
  if (question === null) {
    note('the arguments of a call are too long to be shown in full at the client: only the approval store is asked')
    return null
  }
  let answer: { action?: unknown; content?: { decision?: unknown } | null }
  try {
    answer = (await ask(question, { timeoutMs, signal })) as typeof answer
  } catch (error) {
    if (error instanceof RpcError || error instanceof GivenUp || error instanceof PeerGone) return null
    throw error
  }
  // The name is untrusted text and must not control the terminal that shows the record.
  const approverId = `mcp-client:${escapeForTerminal(clientName, APPROVER_NAME_LENGTH_MAX) || 'unnamed'}`
  const { binding } = request
  if (answer.action === 'decline') return { approved: false, approverId, reason: 'declined in the client', binding }
  if (answer.action !== 'accept') return null
  // Requires exactly this value: an empty submitted form is not an approval.
  if (answer.content?.decision === APPROVE) return { approved: true, approverId, binding }
  return { approved: false, approverId, reason: 'not approved in the client', binding }
}

const APPROVE = 'approve'

/**
 * Builds the form. Characters that could hide or reorder text are shown as code points: arguments and reason may
 * come from the model.
 *
 * @returns null if the arguments are too long: truncated arguments must not be approved
 */
function questionOf({ action, kwargs, reason }: ApprovalRequest): Readonly<Record<string, unknown>> | null {
  const shown = escapeForTerminal(encodeJcs(kwargs), Number.POSITIVE_INFINITY)
  if (shown.length > SHOWN_ARGUMENTS_LENGTH_MAX) return null
  const secrets = shown.split(REDACTED).length - 1
  const lines = [
    `SudoAgent: may the agent call ${escapeForTerminal(action)}?`,
    ...(secrets === 0
      ? []
      : [`NOT SHOWN: ${secrets} ${secrets === 1 ? 'part' : 'parts'} of the arguments, ${REDACTED} below`]),
    `Arguments: ${shown}`,
    `Reason: ${escapeForTerminal(reason)}`,
  ]
  return {
    message: lines.join('\n'),
    requestedSchema: {
      type: 'object',
      properties: {
        decision: {
          type: 'string',
          title: 'Decision',
          description: 'approve lets this one call run',
          enum: [APPROVE, 'deny'],
        },
      },
      required: ['decision'],
    },
  }
}

/** The redactor's replacement for a secret. */
const REDACTED = '[redacted]'

/** Whether a client can show a form. In protocol versions without modes, an empty object declares it. */
export function canElicit(capabilities: unknown): boolean {
  const { elicitation } = (capabilities ?? {}) as { elicitation?: unknown }
  if (typeof elicitation !== 'object' || elicitation === null) return false
  return Object.hasOwn(elicitation, 'form') || !Object.hasOwn(elicitation, 'url')
}
