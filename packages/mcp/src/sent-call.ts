// What of a call is asked about, and what of it the server gets.
import type { Authorization } from '@sudoagent/core'
import { encodeJcs, sha256Hex } from '@sudoagent/crypto'
import type { CallSubject } from './open-call.js'
import type { Incoming, Params } from './peer.js'
import { ProgressRoutes } from './progress-routes.js'

/**
 * What the server gets: what was decided on, and nothing else that the client wrote beside it. `_meta` is that of the call that was asked
 * about; a request that attached to it later brings only its own progress token.
 */
export function sentParams({ args }: Authorization, { params }: CallSubject, request: Incoming): Params {
  const { name, arguments: given, _meta: asked } = params
  const token = ProgressRoutes.tokenOf(request.params)
  const meta = { ...without(asked, PROGRESS_TOKEN), ...(token === null ? {} : { progressToken: token }) }
  return {
    name,
    ...(given === undefined ? {} : { arguments: args[0] }),
    ...(asked === undefined && token === null ? {} : { _meta: meta }),
  }
}

const PROGRESS_TOKEN = ['progressToken']

/** Members of `_meta` that differ with each attempt, and by which nothing is decided: W3C Trace Context and Baggage. */
const ATTEMPT = [...PROGRESS_TOKEN, 'traceparent', 'tracestate', 'baggage']

const without = (meta: unknown, names: readonly string[]): object =>
  typeof meta === 'object' && meta !== null
    ? Object.fromEntries(Object.entries(meta).filter(([name]) => !names.includes(name)))
    : {}

/**
 * Two calls are the same when their unredacted arguments, their `_meta` and the definition of their tool are. Arguments that have no
 * canonical form are like no others.
 */
export function keyOf(
  { action, args, params }: { readonly action: string; readonly args: object; readonly params: Params },
  definition: string | null,
): string | null {
  try {
    return sha256Hex(encodeJcs([action, args, without(params._meta, ATTEMPT), definition]))
  } catch {
    return null
  }
}
