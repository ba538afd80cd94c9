import type { ToolPin } from '@sudoagent/mcp'
import type { Command } from 'commander'
import { CliError, EXIT, type ExitCode } from '../../exit.js'
import { type Io, print } from '../../terminal/io.js'
import type { DefinitionChange } from '../../text/definition-text.js'

export interface McpAcceptOptions {
  readonly server?: string
  readonly tool?: string
  readonly instructions?: boolean
  readonly all?: boolean
  readonly digest?: string
  readonly allowOtherWriters?: boolean
  readonly json?: boolean
}

export function register(mcp: Command, io: Io): void {
  mcp
    .command('accept')
    .summary('accept changed tool definitions')
    .description(
      'Lists the tool definitions that the guard has not accepted: old and new in full, each with its digest. With --digest, accepts exactly ' +
        'the listed definition. With --all and --digest, accepts exactly the whole list. A running guard needs no restart.',
    )
    .argument(
      '<tools>',
      'SQLite file with tool definitions: `<ledger>.tools`, or the file given to `mcp guard --tools`',
    )
    .option('--server <name>', 'only definitions of this server')
    .option('--tool <name>', 'accept the changed definition of this tool; needs --server and --digest')
    .option('--instructions', 'accept the changed instructions and name of the server; needs --server and --digest')
    .option('--all', 'accept all listed definitions; needs --digest')
    .option('--digest <hex>', 'digest of the listed definition; with --all, digest of the whole list')
    .option('--allow-other-writers', 'open the file even if users other than its owner can write to it')
    .option('--json', 'print one JSON value')
    .addHelpText(
      'after',
      `
Examples:
  $ sudoagent mcp accept ledger.sqlite.tools
  $ sudoagent mcp accept ledger.sqlite.tools --server files --tool read_file --digest 9c1f…
  $ sudoagent mcp accept ledger.sqlite.tools --all --digest 52ab…`,
    )
    .action(async (tools: string, options: McpAcceptOptions) => {
      io.exitCode = await run(tools, options, io)
    })
}

export async function run(tools: string, options: McpAcceptOptions, io: Io): Promise<ExitCode> {
  const { existsSync } = await import('node:fs')
  const { SqliteToolPins } = await import('@sudoagent/mcp/sqlite')
  const { requireFilePlace } = await import('../../ledger/place.js')
  const chosen = choose(options)
  requireFilePlace('<tools>', tools, 'tool definitions are stored in a SQLite file: `<ledger>.tools`')
  if (!existsSync(tools))
    throw new CliError(
      EXIT.failed,
      `\`${tools}\` does not exist`,
      'default: `<ledger>.tools`, or the file given to `mcp guard --tools`',
    )
  const { accessAdvice } = await import('../../ledger/approval-store.js')
  const pins = openPins(tools, accessAdvice, (path) =>
    SqliteToolPins.open(path, { allowOtherWriters: options.allowOtherWriters === true }),
  )
  try {
    const known = pins.list(options.server)
    const changes = known
      .filter((pin) => pin.state === 'changed' && chosen.takes(pin))
      .map((pin) => changeOf(pin, known))
    const digest = await digestOf(changes)
    if (chosen.digest !== null) {
      const wanted = options.all === true ? digest : changes[0]?.changed.digest
      if (wanted === undefined)
        throw new CliError(
          EXIT.no,
          'no changed definition matches the options',
          'the guard records a definition when a client first calls or lists the tools',
        )
      // Accepts exactly the listed definitions, or nothing.
      if (wanted !== chosen.digest || !pins.acceptExactly(changes.map(({ changed }) => changed)))
        throw new CliError(
          EXIT.no,
          'nothing was accepted: the digest does not match the current definitions',
          'list the definitions again and check them',
        )
    }
    if (options.json === true) {
      await print(io.stdout, `${JSON.stringify(jsonOf(changes, digest, chosen.digest !== null), null, 2)}\n`)
      return EXIT.ok
    }
    const { renderDefinitionChange } = await import('../../text/definition-text.js')
    const shown = changes.map((change) => renderDefinitionChange(change, io.stdout.columns)).join('')
    const sum = `${changes.length} changed${chosen.digest === null ? '' : ', accepted'}\n`
    const whole = chosen.digest === null && changes.length > 0 ? `digest of the list  ${digest}\n` : ''
    await print(io.stdout, `${shown}${sum}${whole}`)
    return EXIT.ok
  } finally {
    pins.close()
  }
}

/**
 * Returns the selected definitions and the digest. If the digest is null, the definitions are listed but not accepted.
 *
 * @throws CliError for contradictory options
 */
function choose({ server, tool, instructions = false, all = false, digest }: McpAcceptOptions): {
  readonly digest: string | null
  takes(pin: ToolPin): boolean
} {
  const named = [tool !== undefined && '--tool', instructions && '--instructions', all && '--all'].filter(Boolean)
  const usage = (message: string, hint: string): CliError => new CliError(EXIT.usage, message, hint)
  if (named.length > 1) throw usage(`\`${named.join('` and `')}\` cannot be combined`, 'accept one, or all')
  if (named.length === 1 && named[0] !== '--all' && server === undefined)
    throw usage(`\`${named[0]}\` needs \`--server\``, 'two servers may have tools with the same name')
  if (named.length === 1 && digest === undefined)
    throw usage(
      `\`${named[0]}\` needs \`--digest\``,
      'list and check the definitions first; the listing prints the digest',
    )
  if (named.length === 0 && digest !== undefined)
    throw usage(
      '`--digest` needs `--tool`, `--instructions` or `--all`',
      'name the definition that the digest belongs to, or use --all',
    )
  if (digest !== undefined && !/^[0-9a-f]{64}$/.test(digest))
    throw usage('`--digest` is not 64 lower-case hex digits', 'copy it from the listing')
  const only = instructions ? '' : tool
  return { digest: digest ?? null, takes: (pin) => (only ?? pin.tool) === pin.tool }
}

function changeOf(changed: ToolPin, known: readonly ToolPin[]): DefinitionChange {
  const accepted = known.find(
    (pin) => pin.state === 'accepted' && pin.server === changed.server && pin.tool === changed.tool,
  )
  return { changed, accepted }
}

/** Hashes a listing: each new definition, with the accepted definition that it would replace. */
async function digestOf(changes: readonly DefinitionChange[]): Promise<string> {
  const { encodeJcs } = await import('@sudoagent/crypto/json')
  const { sha256Hex } = await import('@sudoagent/crypto')
  return sha256Hex(
    encodeJcs(
      changes.map(({ changed: { server, tool, digest }, accepted }) => [
        server,
        tool,
        accepted?.digest ?? null,
        digest,
      ]),
    ),
  )
}

/** The listing as JSON; `digest` covers the whole list. */
function jsonOf(changes: readonly DefinitionChange[], digest: string, accepted: boolean) {
  return {
    accepted,
    digest,
    changes: changes.map(({ changed, accepted: before }) => ({
      server: changed.server,
      // Empty if the definition contains the server's instructions and name.
      tool: changed.tool,
      digest: changed.digest,
      definition: changed.definition,
      accepted_digest: before?.digest ?? null,
      accepted_definition: before?.definition ?? null,
    })),
  }
}

function openPins<T>(path: string, adviceOn: (error: unknown) => string | undefined, open: (path: string) => T): T {
  try {
    return open(path)
  } catch (error) {
    const hint = adviceOn(error)
    if (hint !== undefined && error instanceof Error) throw new CliError(EXIT.failed, error.message, hint, error)
    throw new CliError(
      EXIT.failed,
      `\`${path}\` does not contain tool definitions`,
      'default: `<ledger>.tools`, or the file given to `mcp guard --tools`',
      error,
    )
  }
}
