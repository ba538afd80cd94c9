// The command line: which commands there are, and the only map from errors to exit codes.
import { readFileSync } from 'node:fs'
import type { SudoAgentError } from '@sudoagent/crypto'
import { Command, CommanderError } from 'commander'
import { CliError, EXIT, type ExitCode, PipeClosed } from './exit.js'
import { HELP, wrapHelp } from './help.js'
import { refusePasswords } from './ledger/password-url.js'
import { keepOptionsApart } from './subcommand.js'
import { type Io, print } from './terminal/io.js'

// In the order in which a person meets them. Each is loaded when it is named, or when all of them are listed.
const COMMANDS: Readonly<Record<string, () => Promise<CommandModule>>> = {
  verify: () => import('./command/verify/verify.js'),
  show: () => import('./command/show/show.js'),
  filter: () => import('./command/find/filter.js'),
  search: () => import('./command/find/search.js'),
  export: () => import('./command/export.js'),
  copy: () => import('./command/copy.js'),
  receipt: () => import('./command/receipt/receipt.js'),
  checkpoint: () => import('./command/checkpoint/checkpoint.js'),
  consistency: () => import('./command/consistency.js'),
  inspect: () => import('./command/inspect.js'),
  keygen: () => import('./command/keygen.js'),
  key: () => import('./command/key/key.js'),
  witness: () => import('./command/witness/witness.js'),
  policy: () => import('./command/policy/policy.js'),
  approvals: () => import('./command/approvals/approvals.js'),
  mcp: () => import('./command/mcp/mcp.js'),
  ledgers: () => import('./command/ledgers.js'),
  registry: () => import('./command/registry/registry.js'),
  postgres: () => import('./command/postgres/postgres.js'),
}

const VERSION_FLAGS = ['-V', '--version']

interface CommandModule {
  register(program: Command, io: Io): void
}

/**
 * Runs one command line.
 *
 * @param argv - `process.argv`, the first two elements included
 * @returns what the process ends with; everything that can go wrong has been said by then
 */
export async function main(argv: readonly string[], io: Io): Promise<ExitCode> {
  const printed: string[] = []
  try {
    refusePasswords(argv)
    const program = await createProgram(argv, io, printed)
    await program.parseAsync(argv)
    return io.exitCode
  } catch (error) {
    if (error instanceof PipeClosed) return EXIT.ok
    if (isHelp(error)) {
      const stream = error.exitCode === 0 ? io.stdout : io.stderr
      await print(stream, wrapHelp(printed.join(''), stream.columns))
      return error.exitCode === 0 ? EXIT.ok : EXIT.usage
    }
    return fail(error, io)
  }
}

async function createProgram(argv: readonly string[], io: Io, printed: string[]): Promise<Command> {
  const program = new Command('sudoagent')
    .description('Verifies, searches, exports and hands out the evidence of what an AI agent was allowed to do.')
    .version(version(), VERSION_FLAGS.join(', '), 'print the version')
    .option('--no-color', 'no colour (as with NO_COLOR)')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help for a command')
    .configureHelp(HELP)
    // Commander writes and exits by itself; both are for `main`, which waits for the writing.
    .configureOutput({
      writeOut: (text) => printed.push(text),
      writeErr: (text) => printed.push(text),
      outputError: () => {},
    })
    .exitOverride()
    .addHelpText(
      'after',
      `
Exit codes:
  0  done; verified
  1  the evidence does not verify, or what was asked for is not in it
  2  wrong usage
  3  could not do it: file missing, unreadable, not a ledger, disk full

Example:
  $ sudoagent verify ledger.sqlite --public-key ledger.pub.pem`,
    )
  for (const { register } of await Promise.all(commandsFor(argv).map((load) => load()))) register(program, io)
  keepOptionsApart(program)
  for (const command of commandsBelow(program)) {
    command.exitOverride((error) => {
      throw isHelp(error) ? error : usageError(error, command)
    })
  }
  return program
}

/** The command that is named first, or all of them: for `--help`, for `help verify`, and to guess what a word was meant to be. */
function commandsFor(argv: readonly string[]): readonly (() => Promise<CommandModule>)[] {
  const [, , ...args] = argv
  // The version is printed whatever commands there are.
  if (args.length === 1 && VERSION_FLAGS.includes(args[0] ?? '')) return []
  const name = args.find((arg) => !arg.startsWith('-')) ?? ''
  const named = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  return named === undefined ? Object.values(COMMANDS) : [named]
}

/** All commands of a command, and those that they have themselves. */
function commandsBelow(command: Command): readonly Command[] {
  return command.commands.flatMap((child) => [child, ...commandsBelow(child)])
}

/** As it is typed: `sudoagent key show`. */
function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`
}

function version(): string {
  const { version: is } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  return is
}

function isHelp(error: unknown): error is CommanderError {
  return (
    error instanceof CommanderError &&
    ['commander.help', 'commander.helpDisplayed', 'commander.version'].includes(error.code)
  )
}

/** Commander's message in our form: no `error: ` of its own, backticks, and its guess, or its second sentence, as the hint. */
function usageError(error: CommanderError, command?: Command): CliError {
  const [says = '', guess = ''] = error.message.split('\n')
  const words = says.replace(/^error: /, '').replace(/'([^']*)'/g, '`$1`')
  const [, problem = words, allowed] = /^(.*?)\. (Allowed choices are .*|Expected .*)\.$/.exec(words) ?? []
  const meant = longerOption(words, command) ?? /^\(Did you mean (.*)\?\)$/.exec(guess)?.[1]
  if (meant !== undefined) return new CliError(EXIT.usage, problem, `did you mean \`${meant}\`?`)
  const hint =
    allowed === undefined
      ? `see \`${command === undefined ? 'sudoagent' : pathOf(command)} --help\``
      : allowed.charAt(0).toLowerCase() + allowed.slice(1)
  return new CliError(EXIT.usage, problem, hint)
}

/** Commander guesses by likeness alone: for `--agent` it would say `--event`. The beginning of an option is a better sign. */
function longerOption(words: string, command: Command | undefined): string | undefined {
  const flag = /^unknown option `(--[a-z-]+)`$/.exec(words)?.[1]
  return (
    command?.options.map(({ long }) => long).find((long) => flag !== undefined && long?.startsWith(flag)) ?? undefined
  )
}

interface Description {
  readonly exit: ExitCode
  readonly message: string
  readonly hint: string | undefined
  /** Of an internal error, when it was asked for. */
  readonly trace?: string | undefined
}

/** Exit codes of the errors of the packages below, by their code; all others mean that it could not be done. */
const EXIT_OF_CODE: ReadonlyMap<string, ExitCode> = new Map([
  ['QUERY_INVALID', EXIT.usage],
  ['ENTRY_NOT_FOUND', EXIT.no],
  ['ENTRY_REFUSED', EXIT.no],
  ['KEY_REFUSED', EXIT.no],
  ['LEDGER_FINISHED', EXIT.no],
  ['LEDGER_EXISTS', EXIT.no],
])

function describe(error: unknown, debug: boolean): Description {
  if (error instanceof CliError) return { exit: error.exit, message: error.message, hint: error.hint }
  if (error instanceof CommanderError) return usageError(error)
  if (isCoded(error)) {
    const { code, message, hint } = error
    return { exit: EXIT_OF_CODE.get(code) ?? EXIT.failed, message, hint }
  }
  return {
    exit: EXIT.failed,
    message: `internal: ${(error instanceof Error ? error.message : String(error)).split('\n')[0]}`,
    hint: debug ? undefined : 'this is a bug or a broken installation; SUDOAGENT_DEBUG=1 shows where',
    trace: debug && error instanceof Error ? error.stack : undefined,
  }
}

/**
 * Whether it is an error of the packages below. Told by its members: their base class would have to be loaded for `--help`, too, and
 * `@sudoagent/postgres` is installed with a copy of its own.
 */
function isCoded(error: unknown): error is SudoAgentError {
  return error instanceof Error && 'code' in error && 'hint' in error && 'requestId' in error
}

/** Says what went wrong, in one line and a hint, and returns what the process ends with. */
export async function fail(error: unknown, io: Io): Promise<ExitCode> {
  const { exit, message, hint, trace } = describe(error, io.debug)
  try {
    const { printMessage } = await import('./terminal/message.js')
    await printMessage(io, 'error', message)
    if (hint !== undefined) await printMessage(io, 'hint', hint)
    if (trace !== undefined) await io.stderr.write(`${trace}\n`)
  } catch {
    // Not even the packages that make text safe to print can be loaded.
    await io.stderr.write(
      'sudoagent: error: internal: the installation is not complete\nsudoagent: hint: install sudoagent again\n',
    )
  }
  return exit
}
