// A call as rules see it: server, tool, and the redacted arguments.
import type { Context } from '@sudoagent/core'
import type { JsonValue } from '@sudoagent/crypto'

export interface Call {
  /** Null when the action names none. */
  readonly server: string | null
  readonly tool: string
  /** The call has positional arguments, which have no names that a rule could test. */
  readonly positional: boolean
  readonly kwargs: Readonly<Record<string, JsonValue>>
}

/**
 * `<server>/<tool>`, split at the first slash: a tool's name may contain slashes, a server's may not. Without a slash, or
 * with nothing on one side of it, the whole is a tool.
 */
export function splitAction(action: string): Pick<Call, 'server' | 'tool'> {
  const slash = action.indexOf('/')
  if (slash <= 0 || slash === action.length - 1) return { server: null, tool: action }
  return { server: action.slice(0, slash), tool: action.slice(slash + 1) }
}

export function callOf({ action, args, kwargs }: Pick<Context, 'action' | 'args' | 'kwargs'>): Call {
  return { ...splitAction(action), positional: args.length > 0, kwargs }
}
