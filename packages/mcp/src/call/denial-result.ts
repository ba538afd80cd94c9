/**
 * What the model is shown instead of a tool's result: a result with `isError`, because a protocol error never reaches it. There is nothing in
 * it that could approve anything: ids of calls that are over, and of an open one only a hash.
 */
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js'
import type { Denial } from '@sudoagent/core'
import { sha256Hex } from '@sudoagent/crypto'
import { adviceFor, type CallFailure } from './call-failure.js'

/** Under this name a result carries its denial in a form for programs. */
export const DENIAL_META = 'dev.sudoagent/denial'

/** Under this name a result says that the call is not decided yet. */
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

/** The approval is open. The id says nothing about the request: it is for the guard's log. */
export function pendingResult(requestId: string): CallToolResult {
  const id = pendingId(requestId)
  return {
    isError: true,
    content: [
      text(
        'pending: a person has to approve this call, and has not answered yet. It did not run. Go on with something else, or repeat the ' +
          `call later with exactly the same arguments to learn the answer. Waiting id ${id}.`,
      ),
    ],
    _meta: { [PENDING_META]: { status: 'pending', id } },
  }
}

/** The call was allowed, and then the server did not give a result. */
export function failureResult({ name, message }: CallFailure): CallToolResult {
  return { isError: true, content: [text(`failed: ${cut(message)} (${name}).`)] }
}

export const pendingId = (requestId: string): string => sha256Hex(`sudoagent mcp pending ${requestId}`).slice(0, 16)

const text = (value: string) => ({ type: 'text' as const, text: value })

const cut = (value: string): string =>
  value.length <= TEXT_LENGTH_MAX ? value : `${value.slice(0, TEXT_LENGTH_MAX).toWellFormed()}…`
