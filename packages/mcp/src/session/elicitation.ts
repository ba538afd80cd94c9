/**
 * Asks the user through the client, with the form mode of MCP's `elicitation/create`.
 *
 * The answer is only as trustworthy as the client. A client that is an agent itself can approve without asking a
 * person. The answer is therefore recorded as `mcp-client:<name>`, and the client is asked only if the deployment
 * enables elicitation. The guard assigns the request id, so a server cannot answer the request, and answers to a
 * server's own elicitations go to that server.
 */
import type { ApprovalAnswer, ApprovalRequest } from '@sudoagent/core'
import { equalUseText, NOT_SIGNED, redactedText, SHOWN_CALL_DIFFERS, showsBoundCall } from '@sudoagent/core/terminal'
import { authorityRows, requirementRows } from '@sudoagent/crypto/entry'
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
  /** When an equal call of the agent ran; null if none ran lately. */
  readonly equalUse: Date | null
  readonly note: (text: string) => void
}

/**
 * @returns the client's answer; null if the client failed, the user closed the form, or the arguments are too long
 *   for the form
 */
export async function elicitApproval(
  ask: AskClient,
  { clientName, equalUse, note }: ElicitationOptions,
  request: ApprovalRequest,
  signal: AbortSignal,
): Promise<ApprovalAnswer | null> {
  if (!showsBoundCall(request)) return { approved: false, reason: SHOWN_CALL_DIFFERS }
  const timeoutMs = Math.max(1, request.expiresAt.getTime() - request.createdAt.getTime())
  const question = questionOf(request, equalUse)
  if (question === null) {
    note('the call arguments are too long to be shown in full in the client: only the approval store is asked')
    return null
  }
  let answer: { action?: unknown; content?: { decision?: unknown } | null }
  try {
    answer = (await ask(question, { timeoutMs, signal })) as typeof answer
  } catch (error) {
    if (error instanceof RpcError || error instanceof GivenUp || error instanceof PeerGone) return null
    throw error
  }
  // The client name is untrusted text and must not control the terminal that displays the ledger entry.
  const approverId = `mcp-client:${escapeForTerminal(clientName, APPROVER_NAME_LENGTH_MAX) || 'unnamed'}`
  const { binding } = request
  if (answer.action === 'decline') return { approved: false, approverId, reason: 'declined in the client', binding }
  if (answer.action !== 'accept') return null
  // Only this value approves: a form that is submitted empty is not an approval.
  if (answer.content?.decision === APPROVE) return { approved: true, approverId, binding }
  return { approved: false, approverId, reason: 'not approved in the client', binding }
}

const APPROVE = 'approve'

/**
 * Builds the form. Characters that could hide or reorder text are shown as code points, because the model may have
 * written the arguments and the reason.
 *
 * @returns null if the arguments are too long, because a person must not approve truncated arguments
 */
function questionOf(
  { action, agentId, args, kwargs, authority, asked, reason }: ApprovalRequest,
  equalUse: Date | null,
): Readonly<Record<string, unknown>> | null {
  const shown = escapeForTerminal(encodeJcs(args.length === 0 ? kwargs : { args, kwargs }), Number.POSITIVE_INFINITY)
  if (shown.length > SHOWN_ARGUMENTS_LENGTH_MAX) return null
  const secrets = asked === undefined ? shown.split(REDACTED).length - 1 : 0
  const rowLine = ([name, value]: readonly [string, string]): string => `${titleOf(name)}: ${escapeForTerminal(value)}`
  const lines = [
    ...(asked === undefined ? [] : [`Redacted: ${redactedText(asked.redacted)}`]),
    `SudoAgent: may the agent ${escapeForTerminal(agentId)} call ${escapeForTerminal(action)}?`,
    ...authorityRows(authority ?? {}).map(rowLine),
    ...(asked === undefined ? [] : requirementRows(asked.requirement).map(rowLine)),
    ...(secrets === 0
      ? []
      : [`NOT SHOWN: ${secrets} ${secrets === 1 ? 'part' : 'parts'} of the arguments, marked ${REDACTED} below`]),
    `Arguments: ${shown}`,
    ...(equalUse === null ? [] : [`NOTE: ${equalUseText(equalUse, new Date())}`]),
    `${asked === undefined ? 'Reason' : `Reason (${NOT_SIGNED})`}: ${escapeForTerminal(reason)}`,
  ]
  return {
    message: lines.join('\n'),
    requestedSchema: {
      type: 'object',
      properties: {
        decision: {
          type: 'string',
          title: 'Decision',
          description: 'approve allows only this call',
          enum: [APPROVE, 'deny'],
        },
      },
      required: ['decision'],
    },
  }
}

/** The title of a row of an authority. Only the rows of the second and further delegates have no name. */
const titleOf = (name: string): string => (name === '' ? 'Through' : name.charAt(0).toUpperCase() + name.slice(1))

/** The text with which the redactor replaces a secret. */
const REDACTED = '[redacted]'

/** Whether a client can show a form. In protocol versions without modes, an empty object declares this capability. */
export function canElicit(capabilities: unknown): boolean {
  const { elicitation } = (capabilities ?? {}) as { elicitation?: unknown }
  if (typeof elicitation !== 'object' || elicitation === null) return false
  return Object.hasOwn(elicitation, 'form') || !Object.hasOwn(elicitation, 'url')
}
