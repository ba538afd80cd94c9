/** `@sudoagent/mcp`: an authorizing proxy in front of any MCP server. */
export { ARGUMENT_CHECKS, type ArgumentCheck } from './call/argument-check.js'
export { SERVER_ENDED } from './call/call-failure.js'
export { DENIAL_META, PENDING_META } from './call/denial-result.js'
export { type GuardServer, type ServeOptions, serveGuard } from './downstream/http-server.js'
export { StdioDownstream } from './downstream/stdio.js'
export { GuardError, type GuardErrorCode } from './error.js'
export { Guard, type GuardOptions } from './guard.js'
export type { GuardSession } from './session/session.js'
export type { ToolDefinition } from './tool/tool-definition.js'
export {
  acceptAll,
  MemoryToolPins,
  type SeenDefinition,
  type SeenState,
  type ToolPin,
  type ToolPins,
} from './tool/tool-pins.js'
export { type ChildOptions, ChildUpstream } from './upstream/child.js'
export { HttpUpstream, type HttpUpstreamOptions } from './upstream/http.js'
export { BLOCKED_BY_DEFAULT, FEATURES, type Feature } from './wire/method.js'
export type { GuardTransport } from './wire/peer.js'
