// `initialize`: both sides hear only of what the guard passes.
import { ErrorCode, LATEST_PROTOCOL_VERSION, SUPPORTED_PROTOCOL_VERSIONS } from '@modelcontextprotocol/sdk/types.js'
import { type Feature, filterCapabilities } from './method.js'
import type { Params } from './peer.js'
import { RpcError } from './rpc-error.js'

/** What the server is offered for the client. A version that the guard does not speak becomes the latest that it does. */
export function guardedOffer(params: Params, blocked: ReadonlySet<Feature>): Params {
  const { protocolVersion, capabilities } = params
  const known = SUPPORTED_PROTOCOL_VERSIONS.includes(String(protocolVersion))
  return {
    ...params,
    protocolVersion: known ? protocolVersion : LATEST_PROTOCOL_VERSION,
    capabilities: filterCapabilities('client', capabilities, blocked),
  }
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
  return { ...answer, protocolVersion, capabilities: filterCapabilities('server', capabilities, blocked) }
}
