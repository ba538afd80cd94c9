// `sudoagent mcp …`: a guard in front of MCP servers.
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
