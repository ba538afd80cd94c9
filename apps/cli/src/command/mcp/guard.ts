import type { GuardSession } from '@sudoagent/mcp'
import { type Command, Option } from 'commander'
import { CliError, EXIT, type ExitCode } from '../../exit.js'
import type { Io } from '../../io.js'
import { repeatable } from '../option.js'

export interface McpGuardOptions {
  readonly policy: string
  readonly ledger: string
  readonly privateKey?: string
  readonly server?: string
  readonly agent: string
  readonly budget?: string
  readonly approvals?: string
  readonly approvalTtl: string
  readonly hold: string
  readonly timeout: string
  readonly elicitation: boolean
  readonly tools?: string
  readonly acceptTools?: boolean
  readonly block?: readonly string[]
  readonly env?: readonly string[]
}

export function register(mcp: Command, io: Io): void {
  mcp
    .command('guard')
    .summary('run a guard in front of a server')
    .description(
      'Passes an MCP session through to a server, and lets a tool run only when the policy (and where it says so, a person) allows the call and ' +
        'the decision is on record. Runs until the client or the server ends.',
    )
    .argument('[command...]', 'the server, behind `--`: a command with its arguments')
    .requiredOption('--policy <file>', 'module that exports a policy')
    .requiredOption('--ledger <file>', 'ledger to add to; made where there is none')
    .option('--private-key <file>', 'private key that signs the ledger (PEM)')
    .option(
      '--server <name>',
      'what the server is called in actions, `<server>/<tool>`; by default made of the command',
    )
    .option('--agent <id>', 'who acts, in every decision', 'mcp')
    .option('--budget <limits>', 'calls in a window: `per-agent=100,per-tool=20,window=3600` (seconds)')
    .option('--approvals <file>', 'SQLite file where approvals wait; by default beside the ledger')
    .option('--approval-ttl <seconds>', 'how long an approval may take, at most 3600', '300')
    .option('--hold <seconds>', 'how long a call waits for its approval before it is answered with "pending"', '45')
    .option('--timeout <seconds>', 'how long the server may take for one answer', '600')
    .option('--no-elicitation', 'never ask the person at the client; only the approval store counts')
    .option('--tools <file>', 'SQLite file with the accepted tool definitions; by default beside the ledger')
    .option('--accept-tools', 'accept the tool definitions that the server shows from now on, changed or not')
    .addOption(
      new Option(
        '--block <feature>',
        'do not pass this: resources, prompts, completion, logging, sampling, roots, elicitation',
      ).argParser(repeatable),
    )
    .addOption(
      new Option('--env <name>', 'hand this variable to the server, `NAME` or `NAME=value`; may be repeated').argParser(
        repeatable,
      ),
    )
    .addHelpText(
      'after',
      `
Example:
  $ sudoagent mcp guard --policy policy.mjs --ledger ledger.sqlite -- npx -y @modelcontextprotocol/server-filesystem ~/notes`,
    )
    .action(async (command: readonly string[], options: McpGuardOptions) => {
      io.exitCode = await run(command, options, io)
    })
}

export async function run(command: readonly string[], options: McpGuardOptions, io: Io): Promise<ExitCode> {
  const { ChildUpstream, StdioDownstream } = await import('@sudoagent/mcp')
  const { openGuard } = await import('../../io/guard-parts.js')
  const [program, ...args] = command
  if (program === undefined) {
    throw new CliError(
      EXIT.usage,
      'no server',
      'name its command behind `--`: `sudoagent mcp guard … -- npx some-server`',
    )
  }
  const { guard, close } = await openGuard({ ...options, server: options.server ?? serverName(command) }, io)
  const upstream = new ChildUpstream({ command: program, args, env: childEnv(options.env) })
  const forget = io.atExit(() => upstream.killNow())
  try {
    // Before anybody can know that it runs.
    const stopped = io.untilStopped()
    const session = await guard
      .open(new StdioDownstream(io.pipes.input, io.pipes.output), upstream)
      .catch((error: unknown) => {
        throw new CliError(EXIT.failed, `\`${program}\` cannot be started: ${words(error)}`, 'check the command', error)
      })
    return await endOf(session, stopped)
  } finally {
    await guard.close()
    await close()
    forget()
  }
}

async function endOf(session: GuardSession, stopped: Promise<void>): Promise<ExitCode> {
  void stopped.then(() => session.close('the guard was told to stop'))
  const reason = await session.closed
  if (reason !== 'the server has ended') return EXIT.ok
  throw new CliError(EXIT.failed, reason, 'what it said stands above; `--env` hands it variables that it needs')
}

const words = (error: unknown): string => (error instanceof Error ? error.message : 'unknown')

/** `npx -y @scope/server-files@1.2 /data` → `server-files`: the first word that looks like a program and not like an option of a runner. */
export function serverName(command: readonly string[]): string {
  const runners = new Set([
    'npx',
    'node',
    'bunx',
    'pnpm',
    'dlx',
    'uvx',
    'uv',
    'run',
    'python',
    'python3',
    'docker',
    'deno',
    'bun',
    'exec',
  ])
  const bases = command
    .filter((word) => !word.startsWith('-'))
    .map((word) => (word.split(/[\\/]/).at(-1) ?? '').replace(/(?<=.)@.*$/, '').replace(/\.(?:[cm]?js|exe|py|ts)$/, ''))
  const name = bases.find((base) => /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(base) && !runners.has(base))
  if (name !== undefined) return name
  throw new CliError(EXIT.usage, 'the command gives no name for the server', 'name it with `--server`')
}

function childEnv(given: readonly string[] = []): Readonly<Record<string, string>> {
  return Object.fromEntries(
    given.map((text) => {
      const [, name, value] = /^([A-Za-z_][A-Za-z0-9_]*)(?:=(.*))?$/s.exec(text) ?? []
      if (name === undefined)
        throw new CliError(EXIT.usage, `--env \`${text}\` names no variable`, '`NAME` or `NAME=value`')
      const found = value ?? process.env[name]
      if (found === undefined)
        throw new CliError(EXIT.usage, `--env \`${name}\`: there is no such variable`, 'set it first')
      return [name, found]
    }),
  )
}
