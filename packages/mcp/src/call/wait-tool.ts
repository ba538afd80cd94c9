/**
 * `sudoagent_wait`, the tool of the guard itself: waits for the decision about a call that was answered "pending", and
 * returns the call's result. It cannot approve anything.
 *
 * It helps models, which need not reproduce the arguments of the call, and clients that give up after a few seconds. A
 * call is found by its waiting id alone only in the guard that answered "pending", which has the arguments as the
 * client sent them. Another process has only the recorded arguments, and uses them if nothing of them is redacted.
 *
 *     sudoagent_wait { "waiting_id": "9c1f60aa…", "seconds": 4 }
 *     → the result of the call, "pending", "running", "denied", or "not found"
 */
import type { ApprovalRecord } from '@sudoagent/core'
import { readCallArguments } from './call-arguments.js'
import { type CallSubject, NO_META } from './sent-call.js'

export const WAIT_TOOL = 'sudoagent_wait'

/** @param holdMs - the longest time for which the tool waits */
export const waitToolOf = (holdMs: number): object => ({
  name: WAIT_TOOL,
  description:
    'Waits for the decision about a call that was answered "pending", and returns the result of that call. It cannot approve a call.',
  inputSchema: {
    type: 'object',
    properties: {
      waiting_id: { type: 'string', description: 'the waiting id in the pending answer' },
      seconds: {
        type: 'integer',
        minimum: 0,
        maximum: secondsMax(holdMs),
        description: 'the longest time to wait, in seconds',
      },
      attempt: {
        type: 'integer',
        description: 'any number; it is ignored, and makes equal calls differ for clients that cache results',
      },
    },
    required: ['waiting_id', 'seconds'],
    additionalProperties: false,
  },
})

const secondsMax = (holdMs: number): number => Math.floor(holdMs / 1_000)

export interface WaitArguments {
  readonly waitingId: string
  readonly waitMs: number
}

/** @returns the arguments, or the reason why they are invalid */
export function readWaitArguments(given: unknown, holdMs: number): WaitArguments | string {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return '`arguments` must be an object'
  const { waiting_id: waitingId, seconds, attempt, ...rest } = { ...given } as Record<string, unknown>
  const [unknown] = Object.keys(rest)
  if (unknown !== undefined) return 'the arguments are `waiting_id`, `seconds` and `attempt`'
  if (typeof waitingId !== 'string') return '`waiting_id` must be a string'
  const max = secondsMax(holdMs)
  if (!Number.isInteger(seconds) || Number(seconds) < 0 || Number(seconds) > max)
    return `\`seconds\` must be an integer from 0 to ${max}`
  // Some clients send null for optional arguments that the model left out.
  if (attempt !== undefined && attempt !== null && !Number.isInteger(attempt)) return '`attempt` must be an integer'
  return { waitingId, waitMs: Number(seconds) * 1_000 }
}

/**
 * Reads the call of an open question from its record.
 *
 * @returns null if the record does not have the arguments as they were sent, or the call is one of another server
 */
export function subjectOf({ action, args, kwargs, asked }: ApprovalRecord, server: string): CallSubject | null {
  const { tool_definition: definition, other_meta: otherMeta } = metadataOf(asked?.metadata)
  const prefix = `${server}/`
  if (asked?.redacted !== 0 || args.length > 0 || otherMeta !== undefined || !action.startsWith(prefix)) return null
  const tool = action.slice(prefix.length)
  const params = { name: tool, arguments: { ...kwargs } }
  const read = readCallArguments(params.arguments)
  if (read.refusal !== null) return null
  return {
    action,
    tool,
    params,
    args: read,
    definition: typeof definition === 'string' ? definition : null,
    meta: NO_META,
  }
}

/** The metadata that the guard records with a call. The record comes from a store, and may have any members. */
export function metadataOf(metadata: unknown): Readonly<Record<string, unknown>> {
  const mcp: unknown = ownMember(metadata, 'mcp')
  const names = ['tool_definition', 'other_meta']
  return Object.fromEntries(names.map((name) => [name, ownMember(mcp, name)]))
}

const ownMember = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined
