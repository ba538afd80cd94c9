/**
 * Asks the person at the client, through the client: MCP's `elicitation/create`, in form mode.
 *
 * What comes back is the client's word. A client that is an agent itself can say yes without asking anybody, so the answer is recorded as
 * `mcp-client:<name>`, and the client is only asked where the deployment says so. The question is the guard's own request under the guard's own id:
 * a server cannot answer it, and what a server asks in the same words is answered to the server.
 */
import type { ApprovalAnswer, ApprovalRequest } from '@sudoagent/core'
import { encodeJcs } from '@sudoagent/crypto'
import { printable } from '@sudoagent/ledger'
import { APPROVER_NAME_LENGTH_MAX, SHOWN_ARGUMENTS_LENGTH_MAX } from '../limits.js'
import { GivenUp, PeerGone } from '../wire/peer.js'
import { RpcError } from '../wire/rpc-error.js'

/** Sends `elicitation/create` to the client. */
export type AskClient = (
  params: Readonly<Record<string, unknown>>,
  terms: { timeoutMs: number; signal: AbortSignal },
) => Promise<object>

export interface ElicitationOptions {
  /** What the client calls itself. */
  readonly clientName: string
  readonly note: (text: string) => void
}

/**
 * @returns the client's answer; null when it gave none: it cannot, it failed, the person closed the question, or the question would not
 * show all of the arguments
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
  // The name is the client's own text, too: it must not turn or clear a line in whatever shows the record.
  const approverId = `mcp-client:${printable(clientName, APPROVER_NAME_LENGTH_MAX) || 'unnamed'}`
  const { binding } = request
  if (answer.action === 'decline') return { approved: false, approverId, reason: 'declined in the client', binding }
  if (answer.action !== 'accept') return null
  // Exactly this word: an empty form that was sent off is no approval.
  if (answer.content?.decision === APPROVE) return { approved: true, approverId, binding }
  return { approved: false, approverId, reason: 'not approved in the client', binding }
}

const APPROVE = 'approve'

/**
 * What could hide or reorder a part of the question is shown as its code point: the arguments are a model's, and so may the reason be.
 *
 * @returns null when the arguments do not fit: a person must not approve what was cut off
 */
function questionOf({ action, kwargs, reason }: ApprovalRequest): Readonly<Record<string, unknown>> | null {
  const shown = printable(encodeJcs(kwargs), Number.POSITIVE_INFINITY)
  if (shown.length > SHOWN_ARGUMENTS_LENGTH_MAX) return null
  const secrets = shown.split(REDACTED).length - 1
  const lines = [
    `SudoAgent: may the agent call ${printable(action)}?`,
    ...(secrets === 0
      ? []
      : [`NOT SHOWN: ${secrets} ${secrets === 1 ? 'part' : 'parts'} of the arguments, ${REDACTED} below`]),
    `Arguments: ${shown}`,
    `Reason: ${printable(reason)}`,
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

/** What the redactor leaves in the place of a secret. */
const REDACTED = '[redacted]'

/** Whether a client says that it can show a form. An empty object says so, by the versions that had no modes. */
export function canElicit(capabilities: unknown): boolean {
  const { elicitation } = (capabilities ?? {}) as { elicitation?: unknown }
  if (typeof elicitation !== 'object' || elicitation === null) return false
  return Object.hasOwn(elicitation, 'form') || !Object.hasOwn(elicitation, 'url')
}
