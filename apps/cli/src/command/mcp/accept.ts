import type { ToolPin } from '@sudoagent/mcp'
import type { Command } from 'commander'
import { CliError, EXIT, type ExitCode } from '../../exit.js'
import { type Io, print } from '../../io.js'

export interface McpAcceptOptions {
  readonly server?: string
  readonly tool?: string
  readonly all?: boolean
}

export function register(mcp: Command, io: Io): void {
  mcp
    .command('accept')
    .summary('accept changed tool definitions')
    .description(
      'Shows the tool definitions of a guard that have changed since they were accepted, old and new, and with --tool or --all accepts them. ' +
        'A running guard needs no restart.',
    )
    .argument('<tools>', 'SQLite file with tool definitions: `<ledger>.tools`, or what --tools of the guard named')
    .option('--server <name>', 'only of this server')
    .option('--tool <name>', 'accept the new definition of this tool; needs --server')
    .option('--all', 'accept all of them')
    .addHelpText(
      'after',
      `
Examples:
  $ sudoagent mcp accept ledger.sqlite.tools
  $ sudoagent mcp accept ledger.sqlite.tools --server files --tool read_file`,
    )
    .action(async (tools: string, options: McpAcceptOptions) => {
      io.exitCode = await run(tools, options, io)
    })
}

export async function run(tools: string, { server, tool, all = false }: McpAcceptOptions, io: Io): Promise<ExitCode> {
  const { existsSync } = await import('node:fs')
  const { SqliteToolPins } = await import('@sudoagent/mcp/sqlite')
  if (tool !== undefined && server === undefined)
    throw new CliError(EXIT.usage, '`--tool` needs `--server`', 'tools of two servers may have one name')
  if (!existsSync(tools))
    throw new CliError(
      EXIT.failed,
      `\`${tools}\` does not exist`,
      'it is `<ledger>.tools` unless --tools says otherwise',
    )
  const pins = openPins(tools, (path) => SqliteToolPins.open(path))
  try {
    const known = pins.list(server)
    const changed = known.filter((pin) => pin.state === 'changed' && (tool ?? pin.tool) === pin.tool)
    if (tool !== undefined && changed.length === 0)
      throw new CliError(
        EXIT.no,
        `no changed definition of \`${tool}\` is on file`,
        'a call or a list shows it to the guard first',
      )
    const { printable } = await import('@sudoagent/ledger')
    const lines = changed.flatMap((pin) => {
      const before = known.find(
        (other) => other.state === 'accepted' && other.server === pin.server && other.tool === pin.tool,
      )
      return [`${pin.server}/${pin.tool}`, `  accepted  ${shown(before)}`, `  changed   ${shown(pin)}`]
    })
    const takes = tool !== undefined || all
    if (takes) for (const name of new Set(changed.map((pin) => pin.server))) pins.accept(name, tool)
    const sum = `${changed.length} changed${takes ? ', accepted' : ''}`
    await print(io.stdout, `${[...lines, sum].map((line) => printable(line, LINE_LENGTH_MAX)).join('\n')}\n`)
    return EXIT.ok
  } finally {
    pins.close()
  }
}

/** A definition may be 256 KiB; who wants to read all of such a one opens the file. */
const LINE_LENGTH_MAX = 20_000

const shown = (pin: ToolPin | undefined): string => (pin === undefined ? 'none' : `${pin.digest} ${pin.definition}`)

function openPins<T>(path: string, open: (path: string) => T): T {
  try {
    return open(path)
  } catch (error) {
    throw new CliError(
      EXIT.failed,
      `\`${path}\` holds no tool definitions`,
      'it is `<ledger>.tools` unless --tools says otherwise',
      error,
    )
  }
}
