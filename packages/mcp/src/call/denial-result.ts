/**
 * Builds the result that the model receives instead of the tool result. `isError` is set, because a protocol error
 * would not reach the model. Nothing in the result can be used to approve a call: a finished call is identified by
 * its id, but a pending call only by a hash of its id.
 */
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js'
import type { Denial } from '@sudoagent/core'
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
 *
 * @param waitTool - the name of the tool that waits for the decision; null if there is none
 */
export function pendingResult(id: string, waitTool: string | null): CallToolResult {
  const repeat = 'repeat the call with exactly the same arguments'
  const how = waitTool === null ? repeat : `call \`${waitTool}\` with this waiting id, or ${repeat}`
  return {
    isError: true,
    content: [
      text(
        'pending: a person must approve this call and has not answered yet. The call has not run. Continue with other work. To get the ' +
          `decision later, ${how}. Waiting id ${id}.`,
      ),
    ],
    _meta: { [PENDING_META]: { status: 'pending', id } },
  }
}

/** Returns the result for a call that was pending, was approved and has not ended yet. */
export function runningResult(id: string, waitTool: string): CallToolResult {
  const words = `running: the call was approved and has not ended yet. Do not repeat it. To get its result later, call \`${waitTool}\` again. Waiting id ${id}.`
  return { isError: true, content: [text(words)], _meta: { [PENDING_META]: { status: 'running', id } } }
}

/** Returns the result for a call that was pending and ran, if its result is no longer kept. */
export const resultGone = (): CallToolResult => ({
  isError: true,
  content: [text('no result: the call was approved and ran. Its result is no longer kept. Do not repeat the call.')],
})

/** Returns the result for invalid arguments of the tool that waits. They change nothing for the pending call. */
export const waitRefused = (reason: string, waitTool: string): CallToolResult => ({
  isError: true,
  content: [text(`refused: ${reason}. The pending call is unchanged. Call \`${waitTool}\` with valid arguments.`)],
})

/** The one answer for a waiting id that is unknown, belongs to another client, or is used up. */
export const waitingIdUnknown = (): CallToolResult => ({
  isError: true,
  content: [
    text(
      'not found: no call that this client can wait for has this waiting id. If you do not have the result of that call, repeat the call ' +
        'with exactly the same arguments. If its approval is still open, the repeated call uses it.',
    ),
  ],
})

/** Returns the result of an allowed call for which the server did not return a result. */
export function failureResult({ name, message }: CallFailure): CallToolResult {
  return { isError: true, content: [text(`failed: ${cut(message)} (${name}).`)] }
}

const text = (value: string) => ({ type: 'text' as const, text: value })

const cut = (value: string): string =>
  value.length <= TEXT_LENGTH_MAX ? value : `${value.slice(0, TEXT_LENGTH_MAX).toWellFormed()}…`
