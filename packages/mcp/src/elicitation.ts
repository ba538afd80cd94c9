/**
 * Asks the person at the client, through the client: MCP's `elicitation/create`, in form mode.
 *
 * What comes back is the client's word. A client that is an agent itself can say yes without asking anybody, so the answer is recorded as
 * `mcp-client:<name>`, and a deployment or a policy can do without it. The question is the guard's own request under the guard's own id:
 * a server cannot answer it, and what a server asks in the same words is answered to the server.
 */
import type { ApprovalAnswer, ApprovalRequest } from '@sudoagent/core'
import { encodeJcs } from '@sudoagent/crypto'
import { printable } from '@sudoagent/ledger'
import { SHOWN_ARGUMENTS_LENGTH_MAX } from './limits.js'
import { GivenUp, PeerGone } from './peer.js'
import { RpcError } from './rpc-error.js'

/** Sends `elicitation/create` to the client. */
export type AskClient = (
  params: Readonly<Record<string, unknown>>,
  terms: { timeoutMs: number; signal: AbortSignal },
) => Promise<object>

/** @returns the client's answer; null when it gave none: it cannot, it failed, or the person closed the question */
export async function elicitApproval(
  ask: AskClient,
  clientName: string,
  request: ApprovalRequest,
  signal: AbortSignal,
): Promise<ApprovalAnswer | null> {
  const timeoutMs = Math.max(1, request.expiresAt.getTime() - request.createdAt.getTime())
  let answer: { action?: unknown; content?: { decision?: unknown } | null }
  try {
    answer = (await ask(questionOf(request), { timeoutMs, signal })) as typeof answer
  } catch (error) {
    if (error instanceof RpcError || error instanceof GivenUp || error instanceof PeerGone) return null
    throw error
  }
  const approverId = `mcp-client:${clientName || 'unnamed'}`
  const { binding } = request
  if (answer.action === 'decline') return { approved: false, approverId, reason: 'declined in the client', binding }
  if (answer.action !== 'accept') return null
  // Exactly this word: an empty form that was sent off is no approval.
  if (answer.content?.decision === APPROVE) return { approved: true, approverId, binding }
  return { approved: false, approverId, reason: 'not approved in the client', binding }
}

const APPROVE = 'approve'

/** What could hide or reorder a part of the question is shown as its code point: the arguments are a model's, and so may the reason be. */
function questionOf({ action, kwargs, reason }: ApprovalRequest): Readonly<Record<string, unknown>> {
  const shown = printable(encodeJcs(kwargs), SHOWN_ARGUMENTS_LENGTH_MAX)
  return {
    message: `SudoAgent: may the agent call ${printable(action)}?\nReason: ${printable(reason)}\nArguments: ${shown}`,
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

/** Whether a client says that it can show a form. An empty object says so, by the versions that had no modes. */
export function canElicit(capabilities: unknown): boolean {
  const { elicitation } = (capabilities ?? {}) as { elicitation?: unknown }
  if (typeof elicitation !== 'object' || elicitation === null) return false
  return Object.hasOwn(elicitation, 'form') || !Object.hasOwn(elicitation, 'url')
}
