/**
 * Builds the result that the model receives instead of the tool result. `isError` is set, because a protocol error
 * would not reach the model. Nothing in the result can be used to approve a call: a finished call is identified by
 * its id, but a pending call only by a hash of its id.
 */
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js'
import type { Denial } from '@sudoagent/core'
import { sha256Hex } from '@sudoagent/crypto'
import { adviceFor, type CallFailure } from './call-failure.js'

/** The `_meta` member that contains the denial in machine-readable form. */
export const DENIAL_META = 'dev.sudoagent/denial'

/** The `_meta` member for a call that has not been decided yet. */
export const PENDING_META = 'dev.sudoagent/pending'

const TEXT_LENGTH_MAX = 1_000

export function denialResult(denial: Denial): CallToolResult {
  const { code, reason, requestId } = denial
  return {
    isError: true,
    content: [text(`denied: ${cut(reason)} (${code}). ${adviceFor(denial)} Request ${requestId}.`)],
    _meta: { [DENIAL_META]: { ...denial } },
  }
}

/**
 * Returns the result for a call whose approval is pending. The id is a hash that also appears in the guard log; the
 * hash reveals nothing about the request.
 */
export function pendingResult(requestId: string): CallToolResult {
  const id = pendingId(requestId)
  return {
    isError: true,
    content: [
      text(
        'pending: a person must approve this call and has not answered yet. The call has not run. Continue with other work, or repeat the ' +
          `call later with exactly the same arguments to get the decision. Pending id ${id}.`,
      ),
    ],
    _meta: { [PENDING_META]: { status: 'pending', id } },
  }
}

/** Returns the result of an allowed call for which the server did not return a result. */
export function failureResult({ name, message }: CallFailure): CallToolResult {
  return { isError: true, content: [text(`failed: ${cut(message)} (${name}).`)] }
}

export const pendingId = (requestId: string): string => sha256Hex(`sudoagent mcp pending ${requestId}`).slice(0, 16)

const text = (value: string) => ({ type: 'text' as const, text: value })

const cut = (value: string): string =>
  value.length <= TEXT_LENGTH_MAX ? value : `${value.slice(0, TEXT_LENGTH_MAX).toWellFormed()}…`
