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
    .summary('run a guard in front of an MCP server')
    .description(
      'Forwards MCP sessions to a server. A tool runs only after the policy allowed the call and the decision was recorded. If the policy ' +
        'requires an approval, a person must also approve the call. Over standard input and output, the guard runs until the client or the server ' +
        'exits; over HTTP, until a signal arrives.',
    )
    .argument('[command...]', 'server command and its arguments, after `--`')
    .requiredOption('--policy <file>', 'rules in YAML or JSON, or a module that exports a policy')
    .requiredOption('--ledger <place>', 'ledger to append to, a file or a URL; created if missing')
    .option('--private-key <file>', 'private key that signs the ledger (PEM)')
    .option(
      '--commitment-key <file>',
      'secret key (32 or more random bytes, mode 0600): entries commit to the arguments before redaction and to the results',
    )
    .option(
      '--counter <file>',
      'file that counts entries outside the ledger, so that a restored older copy is detected',
    )
    .option(
      '--server <name>',
      'server name in actions (`<server>/<tool>`); default: derived from the command, if possible',
    )
    .option('--agent <id>', 'agent id in every decision', 'mcp')
    .option('--budget <limits>', 'call limits within a window of seconds: `per-agent=100,per-tool=20,window=3600`')
    .option(
      '--approvals <place>',
      'SQLite file or URL of the approval store; default: `<ledger>.approvals`, or the database of the ledger',
    )
    .option(
      '--allow-other-writers',
      'open the approval, budget and tool files even if users other than their owner can write to them',
    )
    .option('--approval-ttl <seconds>', 'time limit for an approval, at most 604800 (7 days)', '300')
    .option(
      '--hold <seconds>',
      'time that a call waits for its approval before the client gets the answer "pending"',
      '4',
    )
    .option(
      '--no-wait-tool',
      'do not offer the tool `sudoagent_wait`, which waits for the decision about a pending call',
    )
    .option('--timeout <seconds>', 'time limit for a server response', '600')
    .option('--elicitation', 'also ask the user through the client, which could forge the answer')
    .option('--no-elicitation', 'accept answers only from the approval store; the default')
    .option(
      '--on-concealed <what>',
      'decision for calls with concealed arguments that are not declared secret: deny, ask (a person) or allow',
      'deny',
    )
    .option('--tools <file>', 'SQLite file with the accepted tool definitions; default: `<ledger>.tools`')
    .option('--accept-tools', 'accept all tool definitions of the server, changed or not')
    .option('--no-new-tools', 'refuse tools that a known server adds later, until they are accepted')
    .option('--hide-denied', 'hide from the client the tools that the rules deny for all arguments')
    .option(
      '--check-arguments <how>',
      "refuse arguments that do not match the tool's accepted definition: names, schema or off",
      'names',
    )
    .option(
      '--omit-null-arguments',
      'drop nulls of optional arguments where the accepted definition of the tool allows no null',
    )
    .addOption(
      repeated(
        '--pass <features>',
        'forward blocked features: resources, prompts, completion (comma-separated); no decision is made or recorded for them',
      ),
    )
    .addOption(
      repeated(
        '--block <feature>',
        'block this feature: resources, prompts, completion, logging, sampling, roots or elicitation',
      ),
    )
    .option(
      '--unicode <handling>',
      'handling of arguments that are not in Unicode NFC: `refuse`, or `normalize` (policy, record and server get the NFC copy)',
      'refuse',
    )
    .addOption(repeated('--env <name>', 'pass this variable to the server: `NAME`, or `NAME=value`'))
    .option('--upstream <url>', 'URL of a server that uses streamable HTTP')
    .option('--upstream-token-file <file>', 'file with the bearer token for that server')
    .option('--upstream-token-env <name>', 'environment variable with that token')
    .option('--http <address>', 'serve streamable HTTP at `host:port` instead of standard input and output')
    .option('--token-file <file>', 'file with the bearer token that HTTP clients must send')
    .option('--token-env <name>', 'environment variable with that token', 'SUDOAGENT_MCP_TOKEN')
    .option('--no-token', 'do not require a token from HTTP clients; only on a loopback address')
    .addOption(repeated('--allow-host <name>', 'additional allowed value of the `Host` header: `guard.example:8443`'))
    .addOption(repeated('--allow-origin <origin>', 'allow web pages of this origin to connect: `https://app.example`'))
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
      'set `--server`: actions start with the server name, which cannot be derived from this command',
    )
  const listen =
    options.http === undefined ? null : { ...parseAddress(options.http), token: await clientToken(options, io) }
  // Standard output is reserved before the policy is loaded, because a policy module may write to the console.
  const pipes = listen === null ? io.pipes() : null
  const parts = await openGuard({ ...options, server }, io)
  // The signal handler is registered before the guard reports that it is running.
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
  const { SERVER_ENDED, StdioDownstream } = await import('@sudoagent/mcp')
  const session = await guard.open(new StdioDownstream(input, output), upstream.open()).catch((error: unknown) => {
    const hint = 'check the command after `--`, and PATH'
    throw new CliError(EXIT.failed, `the server cannot be started: ${words(error)}`, hint, error)
  })
  void stopped.then(() => session.close('the guard was stopped'))
  const reason = await session.closed
  if (reason !== SERVER_ENDED) return EXIT.ok
  throw new CliError(
    EXIT.failed,
    reason,
    'see the server output above; use `--env` to pass variables that the server needs',
  )
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
      'choose another port, or 0 for a free one',
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
  const hint = `set --token-file or ${tokenEnv}, or use --no-token`
  throw new CliError(EXIT.usage, 'HTTP clients need a token', hint)
}

function parseAddress(text: string): { readonly host: string; readonly port: number } {
  const [, name, bracketed, digits] = /^(?:([^\s:[\]]+)|\[([0-9a-fA-F:]+)\]):(\d{1,5})$/.exec(text) ?? []
  const host = name ?? bracketed
  const port = Number(digits)
  if (host !== undefined && port <= 65_535) return { host, port }
  throw new CliError(
    EXIT.usage,
    `--http \`${text}\` is not an address`,
    'for example `127.0.0.1:8765`; port 0 selects a free port',
  )
}

const words = (error: unknown): string => (error instanceof Error ? error.message : 'unknown')
