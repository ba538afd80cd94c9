// `initialize`: both sides hear only of what the guard passes.
import { ErrorCode, LATEST_PROTOCOL_VERSION, SUPPORTED_PROTOCOL_VERSIONS } from '@modelcontextprotocol/sdk/types.js'
import { SERVER_VERSION_LENGTH_MAX } from '../limits.js'
import { copySpelling } from '../wire/exact-json.js'
import { type Feature, filterCapabilities } from '../wire/method.js'
import type { Params } from '../wire/peer.js'
import { RpcError } from '../wire/rpc-error.js'

/** What the server is offered for the client. A version that the guard does not speak becomes the latest that it does. */
export function guardedOffer(params: Params, blocked: ReadonlySet<Feature>): Params {
  const { protocolVersion, capabilities } = params
  const known = SUPPORTED_PROTOCOL_VERSIONS.includes(String(protocolVersion))
  return copySpelling(params, {
    ...params,
    protocolVersion: known ? protocolVersion : LATEST_PROTOCOL_VERSION,
    capabilities: filterCapabilities('client', capabilities, blocked),
  })
}

/** What the client hears of the server. @throws RpcError when the server speaks a version that the guard does not */
export function checkAnswer(
  answer: object,
  blocked: ReadonlySet<Feature>,
): { readonly protocolVersion: string; readonly capabilities: object } {
  const { protocolVersion, capabilities } = answer as { protocolVersion?: unknown; capabilities?: unknown }
  if (typeof protocolVersion !== 'string' || !SUPPORTED_PROTOCOL_VERSIONS.includes(protocolVersion)) {
    throw new RpcError(ErrorCode.InvalidRequest, 'the server speaks a version of MCP that the guard does not')
  }
  return copySpelling(answer, {
    ...answer,
    protocolVersion,
    capabilities: filterCapabilities('server', capabilities, blocked),
  })
}

/**
 * What the client hears of a server whose words about itself are not the accepted ones: no instructions, and a name that the deployment
 * gave. A new text for the model is what an attack would consist of; the tools have definitions of their own, so calls go on.
 */
export function withholdWords<T extends object>(answer: T, server: string): T {
  const { instructions: _, ...rest } = answer as T & { instructions?: unknown }
  return copySpelling(answer, {
    ...rest,
    serverInfo: { name: server, version: versionOf(answer) ?? '' },
  }) as unknown as T
}

/** The version that a server says it has; null when it says none. */
export function versionOf(answer: object): string | null {
  const { version } = ((answer as { serverInfo?: unknown }).serverInfo ?? {}) as { version?: unknown }
  return typeof version === 'string' ? version.slice(0, SERVER_VERSION_LENGTH_MAX).toWellFormed() : null
}
