/** `@sudoagent/mcp`: an authorizing proxy in front of any MCP server. */
export { ARGUMENT_CHECKS, type ArgumentCheck } from './argument-check.js'
export { type ChildOptions, ChildUpstream } from './child-upstream.js'
export { DENIAL_META, PENDING_META } from './denial-result.js'
export { Guard, type GuardOptions, type GuardPolicy } from './guard.js'
export { type GuardServer, type ServeOptions, serveGuard } from './http-server.js'
export { HttpUpstream, type HttpUpstreamOptions } from './http-upstream.js'
export { BLOCKED_BY_DEFAULT, FEATURES, type Feature } from './method.js'
export type { GuardTransport } from './peer.js'
export type { GuardSession } from './session.js'
export { StdioDownstream } from './stdio-downstream.js'
export type { ToolDefinition } from './tool-definition.js'
export {
  acceptAll,
  MemoryToolPins,
  type SeenDefinition,
  type SeenState,
  type ToolPin,
  type ToolPins,
} from './tool-pins.js'
