// What of a call is asked about, what makes it the same call as another, and what of it the server gets.
import type { Authorization } from '@sudoagent/core'
import { sha256Hex } from '@sudoagent/crypto'
import { copySpelling, stringifyExact } from '../wire/exact-json.js'
import type { Incoming, Params } from '../wire/peer.js'
import { ProgressRoutes } from '../wire/progress-routes.js'
import { type CallArguments, forwardedArguments } from './call-arguments.js'
import type { CallSubject } from './open-call.js'

export interface PendingCall {
  readonly action: string
  /** As the client wrote it. */
  readonly tool: string
  readonly params: Params
  readonly args: CallArguments
}

/**
 * What the server gets: what was decided on, and nothing else that the client wrote beside it. `_meta` is that of the call that was asked
 * about; a request that attached to it later brings only its own progress token.
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

/** Members of `_meta` that differ with each attempt, and by which nothing is decided: W3C Trace Context and Baggage. */
const ATTEMPT = [...PROGRESS_TOKEN, 'traceparent', 'tracestate', 'baggage']

const without = (meta: unknown, names: readonly string[]): object =>
  typeof meta === 'object' && meta !== null
    ? copySpelling(meta, Object.fromEntries(Object.entries(meta).filter(([name]) => !names.includes(name))))
    : {}

/**
 * Two calls are the same when their unredacted arguments, their `_meta` and the definition of their tool are. By their text: a double is the
 * same for two numbers.
 */
export function keyOf({ action, args, params }: PendingCall, definition: string | null): string {
  const meta = stringifyExact(without(params._meta, ATTEMPT), true)
  return sha256Hex([JSON.stringify(action), args.key, meta, definition ?? ''].join('\n'))
}
