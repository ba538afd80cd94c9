// Clients of a protocol that the guard does not speak: they are told which it does.
import { SUPPORTED_PROTOCOL_VERSIONS } from '@modelcontextprotocol/sdk/types.js'
import { RpcError } from './rpc-error.js'

/** `UnsupportedProtocolVersion` of MCP 2026-07-28. */
const UNSUPPORTED_PROTOCOL_VERSION = -32_022

/** Where a request names its version since MCP 2026-07-28, which has no `initialize`. */
const VERSION_META = 'io.modelcontextprotocol/protocolVersion'

/** Of a client's own text, in an error. */
const SHOWN_VERSION_LENGTH_MAX = 32

export function unsupportedVersion(requested: string): RpcError {
  const shown = requested.slice(0, SHOWN_VERSION_LENGTH_MAX).toWellFormed()
  return new RpcError(
    UNSUPPORTED_PROTOCOL_VERSION,
    `this version of MCP is not spoken here: a session begins with \`initialize\` in ${SUPPORTED_PROTOCOL_VERSIONS.join(', ')}`,
    { supported: [...SUPPORTED_PROTOCOL_VERSIONS], requested: shown },
  )
}

/**
 * The version that a request without a session asks for; null when it asks for none that is unknown here.
 *
 * @param header - `MCP-Protocol-Version`, over HTTP
 */
export function foreignVersion(
  { method, params }: { readonly method: string; readonly params?: object | undefined },
  header?: string,
): string | null {
  const { _meta: meta } = (params ?? {}) as { _meta?: unknown }
  const named = (meta as Readonly<Record<string, unknown>> | null | undefined)?.[VERSION_META] ?? header
  if (typeof named === 'string' && !SUPPORTED_PROTOCOL_VERSIONS.includes(named)) return named
  // Only those versions have this method: a client looks with it for what is spoken.
  return method === 'server/discover' ? String(named ?? 'unknown') : null
}
