// Defines which parts of a call the decision covers, and which parts are sent.
import type { Authorization } from '@sudoagent/core'
import { copySpelling, stringifyExact } from '../wire/exact-json.js'
import type { Incoming, Params } from '../wire/peer.js'
import { ProgressRoutes } from '../wire/progress-routes.js'
import { type CallArguments, forwardedArguments } from './call-arguments.js'

/** A call as the client sent it. */
export interface GivenCall {
  readonly action: string
  /** The name as the client wrote it. */
  readonly tool: string
  readonly params: Params
  readonly args: CallArguments
}

/** The subject of the decision. If the call is allowed, the guard sends exactly this subject. */
export interface CallSubject extends GivenCall {
  /** Digest of the tool definition when the call arrived. */
  readonly definition: string | null
  /** `_meta` without the members of one attempt, as text with sorted keys; `NO_META` if nothing is left. */
  readonly meta: string
}

/**
 * Returns the parameters for the server: only those that the decision covers. `request` contributes only its progress
 * token.
 */
export function sentParams(authorization: Authorization, { params, args }: CallSubject, request: Incoming): Params {
  const { name, arguments: given, _meta: asked } = params
  const token = ProgressRoutes.tokenOf(request.params)
  const meta = Object.assign(without(asked, PROGRESS_TOKEN), token === null ? {} : { progressToken: token })
  return {
    name,
    ...(given === undefined ? {} : { arguments: forwardedArguments(args, authorization.args[0]) }),
    ...(asked === undefined && token === null ? {} : { _meta: meta }),
  }
}

const PROGRESS_TOKEN = ['progressToken']

/** Members of `_meta` that differ between attempts and do not affect the decision: W3C Trace Context and Baggage. */
const ATTEMPT = [...PROGRESS_TOKEN, 'traceparent', 'tracestate', 'baggage']

const without = (meta: unknown, names: readonly string[]): object =>
  typeof meta === 'object' && meta !== null
    ? copySpelling(meta, Object.fromEntries(Object.entries(meta).filter(([name]) => !names.includes(name))))
    : {}

export const NO_META = '{}'

/**
 * Returns the text of `_meta`, without the members that differ between attempts. Two calls are equal only if it is. The
 * engine compares the rest: the action, the agent, the authority, the policy and the arguments before redaction.
 */
export const metaOf = (params: Params): string => stringifyExact(without(params._meta, ATTEMPT), true)
