// Defines which parts of a call the decision covers, which parts make two calls equal, and which parts are sent.
import type { Authorization } from '@sudoagent/core'
import { sha256Hex } from '@sudoagent/crypto'
import { copySpelling, stringifyExact } from '../wire/exact-json.js'
import type { Incoming, Params } from '../wire/peer.js'
import { ProgressRoutes } from '../wire/progress-routes.js'
import { type CallArguments, forwardedArguments } from './call-arguments.js'
import type { CallSubject } from './open-call.js'

export interface PendingCall {
  readonly action: string
  /** The name as the client wrote it. */
  readonly tool: string
  readonly params: Params
  readonly args: CallArguments
}

/**
 * Returns the parameters for the server: only those that the decision covers. `_meta` comes from the first request;
 * a request that attached later contributes only its progress token.
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

/**
 * Returns a key that is equal for two calls if their unredacted arguments, their `_meta` and their tool definitions
 * are equal. The key is computed from the text, because two different numbers may parse to the same double.
 */
export function keyOf({ action, args, params }: PendingCall, definition: string | null): string {
  const meta = stringifyExact(without(params._meta, ATTEMPT), true)
  return sha256Hex([JSON.stringify(action), args.key, meta, definition ?? ''].join('\n'))
}
