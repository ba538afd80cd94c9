/**
 * The result that the model receives instead of that of the tool. It is a result with `isError`, because a protocol
 * error does not reach the model. It contains nothing that could be used to approve a call: ids of finished calls,
 * and only a hash of a pending one.
 */
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js'
import type { Denial } from '@sudoagent/core'
import { sha256Hex } from '@sudoagent/crypto'
import { adviceFor, type CallFailure } from './call-failure.js'

/** The `_meta` member with the denial in a form for programs. */
export const DENIAL_META = 'dev.sudoagent/denial'

/** The `_meta` member of a call that is not decided yet. */
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
 * The result while the approval is pending. The id is a hash for the log of the guard and reveals nothing about the
 * request.
 */
export function pendingResult(requestId: string): CallToolResult {
  const id = pendingId(requestId)
  return {
    isError: true,
    content: [
      text(
        'pending: a person has to approve this call, and has not answered yet. It did not run. Continue with something else, or repeat the ' +
          `call later with exactly the same arguments to learn the answer. Waiting id ${id}.`,
      ),
    ],
    _meta: { [PENDING_META]: { status: 'pending', id } },
  }
}

/** The result of an allowed call for which the server returned none. */
export function failureResult({ name, message }: CallFailure): CallToolResult {
  return { isError: true, content: [text(`failed: ${cut(message)} (${name}).`)] }
}

export const pendingId = (requestId: string): string => sha256Hex(`sudoagent mcp pending ${requestId}`).slice(0, 16)

const text = (value: string) => ({ type: 'text' as const, text: value })

const cut = (value: string): string =>
  value.length <= TEXT_LENGTH_MAX ? value : `${value.slice(0, TEXT_LENGTH_MAX).toWellFormed()}…`
