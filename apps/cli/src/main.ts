// Entry point of the command line: the table of commands, and the only mapping from errors to exit codes.
//
//   argv → the module of the named command, loaded on demand → Commander → `run` of that module → exit code
//
//   sudoagent verify ledger.sqlite     loads command/verify/verify.js; `run` sets io.exitCode to 0 or 1
//   sudoagent verfiy ledger.sqlite     loads every command, so that Commander can suggest `verify`; exit code 2
//   sudoagent verify missing.sqlite    LedgerError with the code LEDGER_NOT_FOUND, not in EXIT_OF_CODE; exit code 3
//
// A command either sets its exit code or throws a CliError with an exit code, a message and a hint. Package errors
// are mapped by their `code`. Every other error is a bug and is printed as `internal: …`.
import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { CliError, EXIT, type ExitCode, isCoded, PipeClosed } from './exit.js'
import { HELP, wrapHelp } from './help.js'
import { requireNoPasswords } from './ledger/password-url.js'
import { keepOptionsApart } from './subcommand.js'
import { type Io, print } from './terminal/io.js'

// The commands in help order. A module is loaded when its command is named, or when all commands are listed.
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
  stop: () => import('./command/stop/stop.js'),
  resume: () => import('./command/stop/resume.js'),
  stops: () => import('./command/stop/stops.js'),
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
 * @param argv - `process.argv`, including its first two elements
 * @returns the exit code of the process; any error has been printed on stderr
 */
export async function main(argv: readonly string[], io: Io): Promise<ExitCode> {
  const printed: string[] = []
  try {
    requireNoPasswords(argv)
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
    .description('Verifies, searches and exports the evidence of what an AI agent was allowed to do.')
    .version(version(), VERSION_FLAGS.join(', '), 'print the version')
    .option('--no-color', 'no colour (as with NO_COLOR)')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help for a command')
    .configureHelp(HELP)
    // Commander would write and exit by itself. `main` prints the collected text instead and waits for the write.
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
  1  the evidence does not verify, or the requested entry was not found
  2  usage error
  3  the command failed: file missing, unreadable, not a ledger, disk full

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

/**
 * Returns the module of the named command. Returns all modules for `--help`, `help verify` and an unknown command, so
 * that Commander can suggest a command.
 */
function commandsFor(argv: readonly string[]): readonly (() => Promise<CommandModule>)[] {
  const [, , ...args] = argv
  if (args.length === 1 && VERSION_FLAGS.includes(args[0] ?? '')) return []
  const name = args.find((arg) => !arg.startsWith('-')) ?? ''
  const named = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  return named === undefined ? Object.values(COMMANDS) : [named]
}

/** Returns all subcommands of a command, recursively. */
function commandsBelow(command: Command): readonly Command[] {
  return command.commands.flatMap((child) => [child, ...commandsBelow(child)])
}

/** Returns the command as the user types it: `sudoagent key show`. */
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

/**
 * Converts a Commander message: removes `error: `, uses backticks, and turns the suggestion or second sentence into
 * the hint.
 */
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

/**
 * Returns the option that begins with the unknown flag. Commander compares by similarity and would suggest `--event`
 * for `--agent`.
 */
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
  /** Stack trace of an internal error; set only if SUDOAGENT_DEBUG is set. */
  readonly trace?: string | undefined
}

/** Exit codes of package errors by error code. An error with any other code exits with 3. */
const EXIT_OF_CODE: ReadonlyMap<string, ExitCode> = new Map([
  ['QUERY_INVALID', EXIT.usage],
  ['ENTRY_NOT_FOUND', EXIT.no],
  ['STOP_NOT_FOUND', EXIT.no],
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
    hint: debug ? undefined : 'this is a bug or a broken installation; set SUDOAGENT_DEBUG=1 to see the stack trace',
    trace: debug && error instanceof Error ? error.stack : undefined,
  }
}

/** Prints an error and its hint on stderr. @returns the exit code of the process */
export async function fail(error: unknown, io: Io): Promise<ExitCode> {
  const { exit, message, hint, trace } = describe(error, io.debug)
  try {
    const { printMessage } = await import('./terminal/message.js')
    await printMessage(io, 'error', message)
    if (hint !== undefined) await printMessage(io, 'hint', hint)
    if (trace !== undefined) await io.stderr.write(`${trace}\n`)
  } catch {
    // `printMessage` throws only if a module that it needs cannot be loaded, so the text is printed without escaping.
    await io.stderr.write(
      'sudoagent: error: internal: the installation is incomplete\nsudoagent: hint: reinstall sudoagent\n',
    )
  }
  return exit
}
