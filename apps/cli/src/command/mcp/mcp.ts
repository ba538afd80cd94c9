// `sudoagent mcp …` puts a guard between an MCP client and an MCP server
// (https://modelcontextprotocol.io/specification).
//
//   guard    runs the guard; @sudoagent/mcp contains the protocol, this folder opens its parts
//   accept   accepts changed tool definitions
//
// Every `tools/call` becomes the action `<server>/<tool>`. The engine evaluates the policy, charges the budget,
// waits for an approval if one is required, and records the decision; only then does the guard forward the call.
// Tool definitions are pinned: a tool whose definition changed is refused until the new definition is accepted.
//
//   guard-parts.ts   opens policy, ledger, stores and guard: all or none
//   guard-stores.ts  approvals, budget, accepted tool definitions
//   upstream.ts      the server: a command to start, or a URL
//
//   $ sudoagent mcp guard --policy policy.yaml --ledger ledger.sqlite -- npx -y @scope/server-files ~/notes
//   {"method":"tools/call","params":{"name":"read_file",…}}    is decided as the action `server-files/read_file`
import type { Command } from 'commander'
import type { Io } from '../../terminal/io.js'
import * as acceptCommand from './accept.js'
import * as guardCommand from './guard.js'

export function register(program: Command, io: Io): void {
  const mcp = program
    .command('mcp')
    .summary('guard an MCP server')
    .description('An authorizing proxy between an MCP client and an MCP server.')
    .addHelpText(
      'after',
      `
Examples:
  $ sudoagent mcp guard --policy policy.mjs --ledger ledger.sqlite -- npx some-mcp-server
  $ sudoagent mcp accept ledger.sqlite.tools`,
    )
  guardCommand.register(mcp, io)
  acceptCommand.register(mcp, io)
}
