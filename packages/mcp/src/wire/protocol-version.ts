// Answers a client that uses an unsupported protocol version with the list of supported versions.
import { SUPPORTED_PROTOCOL_VERSIONS } from '@modelcontextprotocol/sdk/types.js'
import { RpcError } from './rpc-error.js'

/** The error code `UnsupportedProtocolVersion` from MCP 2026-07-28. */
const UNSUPPORTED_PROTOCOL_VERSION = -32_022

/** The `_meta` member that contains the protocol version since MCP 2026-07-28, which has no `initialize`. */
const VERSION_META = 'io.modelcontextprotocol/protocolVersion'

/** Requested versions are truncated to this length in errors. */
const SHOWN_VERSION_LENGTH_MAX = 32

export function unsupportedVersion(requested: string): RpcError {
  const shown = requested.slice(0, SHOWN_VERSION_LENGTH_MAX).toWellFormed()
  return new RpcError(
    UNSUPPORTED_PROTOCOL_VERSION,
    `unsupported MCP version: start a session with \`initialize\` and one of these versions: ${SUPPORTED_PROTOCOL_VERSIONS.join(', ')}`,
    { supported: [...SUPPORTED_PROTOCOL_VERSIONS], requested: shown },
  )
}

/**
 * Returns the unsupported version that a request without a session asks for; null if the version is supported.
 *
 * @param header - the HTTP header `MCP-Protocol-Version`
 */
export function foreignVersion(
  { method, params }: { readonly method: string; readonly params?: object | undefined },
  header?: string,
): string | null {
  const { _meta: meta } = (params ?? {}) as { _meta?: unknown }
  const named = (meta as Readonly<Record<string, unknown>> | null | undefined)?.[VERSION_META] ?? header
  if (typeof named === 'string' && !SUPPORTED_PROTOCOL_VERSIONS.includes(named)) return named
  // Only newer versions have this method; clients use it to discover the supported versions.
  return method === 'server/discover' ? String(named ?? 'unknown') : null
}
