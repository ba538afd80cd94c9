import { type Command, Option } from 'commander'
import { CliError, EXIT, type ExitCode } from '../../exit.js'
import { repeatable } from '../../option.js'
import { errnoWords } from '../../terminal/errno.js'
import { type Io, print } from '../../terminal/io.js'
import type { GuardPartsOptions, OpenGuard } from './guard-parts.js'
import type { Upstream, UpstreamOptions } from './upstream.js'

export interface McpGuardOptions extends Omit<GuardPartsOptions, 'server'>, UpstreamOptions {
  readonly server?: string
  readonly http?: string
  readonly tokenFile?: string
  readonly tokenEnv: string
  readonly token: boolean
  readonly allowHost?: readonly string[]
  readonly allowOrigin?: readonly string[]
}

export function register(mcp: Command, io: Io): void {
  mcp
    .command('guard')
    .summary('run a guard in front of a server')
    .description(
      'Passes MCP sessions through to a server, and lets a tool run only when the policy (and where it says so, a person) allows the call and ' +
        'the decision is on record. Over standard input and output it runs until the client or the server ends; over HTTP until it is told to.',
    )
    .argument('[command...]', 'the server, behind `--`: a command with its arguments')
    .requiredOption('--policy <file>', 'rules in YAML or JSON, or a module that exports a policy')
    .requiredOption('--ledger <place>', 'ledger to add to, a file or a URL; made where there is none')
    .option('--private-key <file>', 'private key that signs the ledger (PEM)')
    .option(
      '--counter <file>',
      'keep count of what is written, outside the ledger: an older copy that was put back is refused',
    )
    .option(
      '--server <name>',
      'what the server is called in actions, `<server>/<tool>`; by default made of its command, where that says it',
    )
    .option('--agent <id>', 'who acts, in every decision', 'mcp')
    .option('--budget <limits>', 'calls in a window of seconds: `per-agent=100,per-tool=20,window=3600`')
    .option(
      '--approvals <place>',
      'SQLite file or URL where approvals wait; by default `<ledger>.approvals`, or the database',
    )
    .option(
      '--allow-other-writers',
      'open approvals, budget and tool definitions although users other than their owner can write to them',
    )
    .option('--approval-ttl <seconds>', 'how long an approval may take, at most 3600', '300')
    .option('--hold <seconds>', 'how long a call waits for its approval before it is answered with "pending"', '4')
    .option('--timeout <seconds>', 'how long the server may take for one answer', '600')
    .option('--elicitation', 'ask the person at the client, too; its answer is the word of the client')
    .option('--no-elicitation', 'only the approval store counts; the default')
    .option(
      '--on-concealed <what>',
      'calls whose arguments hide something that is not declared a secret: deny, ask a person, or allow',
      'deny',
    )
    .option('--tools <file>', 'SQLite file with the accepted tool definitions; by default `<ledger>.tools`')
    .option('--accept-tools', 'accept the tool definitions that the server shows, changed or not')
    .option('--no-new-tools', 'once a server is known, refuse tools that appear later until they are accepted')
    .option('--hide-denied', 'do not show the client tools that the rules deny whatever the arguments')
    .option(
      '--check-arguments <how>',
      'refuse arguments that the accepted definition of the tool does not have: by names, by schema, or off',
      'names',
    )
    .addOption(
      repeated(
        '--pass <features>',
        'pass these, which are blocked by default and are not decided on: resources, prompts, completion; with commas',
      ),
    )
    .addOption(
      repeated(
        '--block <feature>',
        'do not pass this feature: resources, prompts, completion, logging, sampling, roots or elicitation',
      ),
    )
    .option(
      '--unicode <handling>',
      'arguments that are not in Unicode NFC: `refuse`, or `normalize` (policy, record and server get the NFC copy)',
      'refuse',
    )
    .addOption(repeated('--env <name>', 'hand this variable to the server: `NAME`, or `NAME=value`'))
    .option('--upstream <url>', 'the server, where it speaks streamable HTTP')
    .option('--upstream-token-file <file>', 'bearer token for that server')
    .option('--upstream-token-env <name>', 'the same from the environment')
    .option('--http <address>', 'serve streamable HTTP at `host:port` instead of standard input and output')
    .option('--token-file <file>', 'bearer token that HTTP clients must bring')
    .option('--token-env <name>', 'the same from the environment', 'SUDOAGENT_MCP_TOKEN')
    .option('--no-token', 'ask HTTP clients for no token; only at the loopback')
    .addOption(repeated('--allow-host <name>', 'a further value that `Host` may have: `guard.example:8443`'))
    .addOption(repeated('--allow-origin <origin>', 'web pages of this origin may connect: `https://app.example`'))
    .addHelpText(
      'after',
      `
Examples:
  $ sudoagent mcp guard --policy policy.mjs --ledger ledger.sqlite -- npx -y @modelcontextprotocol/server-filesystem ~/notes
  $ sudoagent mcp guard --policy policy.mjs --ledger ledger.sqlite --http 127.0.0.1:8765 --upstream https://server.example/mcp`,
    )
    .action(async (command: readonly string[], options: McpGuardOptions) => {
      io.exitCode = await run(command, options, io)
    })
}

const repeated = (flags: string, description: string): Option =>
  new Option(flags, `${description}; may be repeated`).argParser(repeatable)

export async function run(command: readonly string[], options: McpGuardOptions, io: Io): Promise<ExitCode> {
  const { chooseUpstream } = await import('./upstream.js')
  const { openGuard } = await import('./guard-parts.js')
  const upstream = await chooseUpstream(command, options, io)
  const server = options.server ?? upstream.name
  if (server === null)
    throw new CliError(
      EXIT.usage,
      'the server has no name',
      'give it one with `--server`: rules and records name its tools by it, and this command could run anything',
    )
  const listen =
    options.http === undefined ? null : { ...parseAddress(options.http), token: await clientToken(options, io) }
  // Before the policy is loaded, which may talk.
  const pipes = listen === null ? io.pipes() : null
  const parts = await openGuard({ ...options, server }, io)
  // Before anybody can know that it runs.
  const stopped = io.untilStopped()
  try {
    if (listen !== null) return await overHttp(parts, upstream, { ...options, ...listen }, stopped, io)
    return await overPipes(parts, upstream, stopped, pipes ?? io.pipes())
  } finally {
    await parts.guard.close()
    await parts.close()
  }
}

async function overPipes(
  { guard }: OpenGuard,
  upstream: Upstream,
  stopped: Promise<void>,
  { input, output }: ReturnType<Io['pipes']>,
): Promise<ExitCode> {
  const { StdioDownstream } = await import('@sudoagent/mcp')
  const session = await guard.open(new StdioDownstream(input, output), upstream.open()).catch((error: unknown) => {
    const hint = 'check the command behind `--`, and PATH'
    throw new CliError(EXIT.failed, `the server cannot be started: ${words(error)}`, hint, error)
  })
  void stopped.then(() => session.close('the guard was told to stop'))
  const reason = await session.closed
  if (reason !== 'the server has ended') return EXIT.ok
  throw new CliError(EXIT.failed, reason, 'what it said stands above; `--env` hands it variables that it needs')
}

interface Listen extends Pick<McpGuardOptions, 'allowHost' | 'allowOrigin'> {
  readonly host: string
  readonly port: number
  readonly token: string | null
}

async function overHttp(
  { guard, note }: OpenGuard,
  upstream: Upstream,
  { host, port, token, allowHost = [], allowOrigin = [] }: Listen,
  stopped: Promise<void>,
  io: Io,
): Promise<ExitCode> {
  const { serveGuard } = await import('@sudoagent/mcp')
  const server = await serveGuard({
    guard,
    upstream: () => upstream.open(),
    host,
    port,
    token,
    allowHosts: allowHost,
    allowOrigins: allowOrigin,
    logger: note,
  }).catch((error: unknown) => {
    if (error instanceof TypeError)
      throw new CliError(EXIT.usage, words(error), 'see `--token-file` and `--token-env`', error)
    throw new CliError(
      EXIT.failed,
      `cannot listen on \`${host}:${port}\`: ${errnoWords(error instanceof Error ? error.cause : error)}`,
      'give another port, or 0 for a free one',
      error,
    )
  })
  await print(io.stdout, `url   ${server.url}\n`)
  await stopped
  await guard.close()
  await server.close()
  return EXIT.ok
}

async function clientToken({ token, tokenFile, tokenEnv }: McpGuardOptions, io: Io): Promise<string | null> {
  if (!token) return null
  const { readToken } = await import('../../input/token.js')
  const found = await readToken({ file: tokenFile, variable: tokenEnv }, io)
  if (found !== null) return found
  const hint = `name it with --token-file or in ${tokenEnv}, or say --no-token`
  throw new CliError(EXIT.usage, 'HTTP clients need a token', hint)
}

function parseAddress(text: string): { readonly host: string; readonly port: number } {
  const [, name, bracketed, digits] = /^(?:([^\s:[\]]+)|\[([0-9a-fA-F:]+)\]):(\d{1,5})$/.exec(text) ?? []
  const host = name ?? bracketed
  const port = Number(digits)
  if (host !== undefined && port <= 65_535) return { host, port }
  throw new CliError(EXIT.usage, `--http \`${text}\` is no address`, '`127.0.0.1:8765`; port 0 takes a free one')
}

const words = (error: unknown): string => (error instanceof Error ? error.message : 'unknown')
