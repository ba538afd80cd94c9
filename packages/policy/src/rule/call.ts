// Converts a call to the form that rules test: server, tool and redacted arguments.
import type { Context } from '@sudoagent/core'
import type { JsonValue } from '@sudoagent/crypto/json'

export interface Call {
  /** Null if the action does not name a server. */
  readonly server: string | null
  readonly tool: string
  /** The call has positional arguments, which rules cannot test because they have no names. */
  readonly positional: boolean
  readonly kwargs: Readonly<Record<string, JsonValue>>
}

/**
 * Splits `<server>/<tool>` at the first slash: a tool name may contain slashes, a server name must not. If there is no
 * slash, or the part before or after it is empty, the whole action is the tool.
 */
export function splitAction(action: string): Pick<Call, 'server' | 'tool'> {
  const slash = action.indexOf('/')
  if (slash <= 0 || slash === action.length - 1) return { server: null, tool: action }
  return { server: action.slice(0, slash), tool: action.slice(slash + 1) }
}

export function callOf({ action, args, kwargs }: Pick<Context, 'action' | 'args' | 'kwargs'>): Call {
  return { ...splitAction(action), positional: args.length > 0, kwargs }
}
