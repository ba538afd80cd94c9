// `initialize`: removes the capabilities that the guard does not forward.
import { ErrorCode, LATEST_PROTOCOL_VERSION, SUPPORTED_PROTOCOL_VERSIONS } from '@modelcontextprotocol/sdk/types.js'
import { SERVER_VERSION_LENGTH_MAX } from '../limits.js'
import { copySpelling } from '../wire/exact-json.js'
import { type Feature, filterCapabilities } from '../wire/method.js'
import type { Params } from '../wire/peer.js'
import { RpcError } from '../wire/rpc-error.js'

/**
 * Returns the `initialize` parameters for the server. An unknown protocol version is replaced by the latest known
 * version.
 */
export function guardedOffer(params: Params, blocked: ReadonlySet<Feature>): Params {
  const { protocolVersion, capabilities } = params
  const known = SUPPORTED_PROTOCOL_VERSIONS.includes(String(protocolVersion))
  return copySpelling(params, {
    ...params,
    protocolVersion: known ? protocolVersion : LATEST_PROTOCOL_VERSION,
    capabilities: filterCapabilities('client', capabilities, blocked),
  })
}

/** Returns the `initialize` result for the client. @throws RpcError if the server selects an unknown version */
export function checkAnswer(
  answer: object,
  blocked: ReadonlySet<Feature>,
): { readonly protocolVersion: string; readonly capabilities: object } {
  const { protocolVersion, capabilities } = answer as { protocolVersion?: unknown; capabilities?: unknown }
  if (typeof protocolVersion !== 'string' || !SUPPORTED_PROTOCOL_VERSIONS.includes(protocolVersion)) {
    throw new RpcError(ErrorCode.InvalidRequest, 'the server selected an MCP version that the guard does not support')
  }
  return copySpelling(answer, {
    ...answer,
    protocolVersion,
    capabilities: filterCapabilities('server', capabilities, blocked),
  })
}

/**
 * Returns the `initialize` result for the client if the server's instructions or name differ from the accepted
 * ones: without instructions, and with the name from the deployment. Changed instructions could be an attack on the
 * model. Tool definitions are pinned separately, so calls can still run.
 */
export function withholdWords<T extends object>(answer: T, server: string): T {
  const { instructions: _, ...rest } = answer as T & { instructions?: unknown }
  return copySpelling(answer, {
    ...rest,
    serverInfo: { name: server, version: versionOf(answer) ?? '' },
  }) as unknown as T
}

/** Returns the version that the server reports; null if it reports no version. */
export function versionOf(answer: object): string | null {
  const { version } = ((answer as { serverInfo?: unknown }).serverInfo ?? {}) as { version?: unknown }
  return typeof version === 'string' ? version.slice(0, SERVER_VERSION_LENGTH_MAX).toWellFormed() : null
}
