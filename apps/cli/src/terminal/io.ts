// The interface between commands and the outside: streams, terminal, environment, signals and cleanup. Tests replace
// this interface.
//
//   io.ts         streams with colour and width; what to undo when the process ends early
//   message.ts    `sudoagent: error: …`, `hint: …`, `note: …` on stderr
//   output.ts     a file that appears only once it is complete
//   deliver.ts    entries in a format, to standard output or a file
//   confirm.ts    yes-or-no questions
//   progress.ts   the progress line of long operations
//   errno.ts      descriptions of system errors
//   same-file.ts  protects the files of a ledger from `--output`
//
// Results go to stdout, everything else to stderr. Colour follows https://no-color.org: `--no-color` and NO_COLOR
// win over FORCE_COLOR, which wins over the terminal check. A closed pipe ends a command without an error:
//
//   $ sudoagent export ledger.sqlite --format ndjson | head -1      exit code 0
import { Console } from 'node:console'
import { CliError, EXIT, type ExitCode, PipeClosed } from '../exit.js'
import { errnoOf, errnoWords } from './errno.js'

export interface Stream {
  readonly isTerminal: boolean
  /** Width in cells; undefined without a terminal. */
  readonly columns: number | undefined
  readonly colour: boolean
  /** Resolves when the text is written. @throws PipeClosed, CliError */
  write(text: string): Promise<void>
}

export interface Io {
  /** Results. */
  readonly stdout: Stream
  /** Progress, findings, hints and errors. Writing never throws, because a failure could not be reported. */
  readonly stderr: Stream
  /** Keyboard input; null unless both stdin and stderr are a terminal. */
  keyboard(): NodeJS.ReadStream | null
  /**
   * Standard input and output for a protocol. From then on `console` writes to stderr, so that loaded code cannot
   * write to standard output.
   */
  pipes(): { readonly input: NodeJS.ReadableStream; readonly output: NodeJS.WritableStream }
  /** Standard input in chunks. */
  stdin(): AsyncIterable<Uint8Array>
  /** The passphrase of private keys, from SUDOAGENT_KEY_PASSPHRASE. */
  readonly keyPassphrase: string | undefined
  /** The name of the approver, from SUDOAGENT_APPROVER. */
  readonly approver: string | undefined
  /** Whether to print the stack of an internal error. */
  readonly debug: boolean
  /** Exit code of the process, set by the command. */
  exitCode: ExitCode
  /**
   * Registers `undo`, which is called synchronously if the process ends early. @returns a function that unregisters
   * `undo`
   */
  atExit(undo: () => void): () => void
  /** Calls the registered functions; the process is about to end. */
  cleanUp(): void
  /** Ends the process like Ctrl-C. */
  interrupt(): void
  /**
   * For a command that runs until a signal arrives: resolves with the first signal, which then does not end the
   * process.
   */
  untilStopped(): Promise<void>
  /**
   * Asks a command that waits for a signal to stop.
   *
   * @returns false if no such command is running, or if the command was already asked
   */
  stop(): boolean
}

/** The part of `process` that `createIo` uses. */
export interface Outside {
  readonly argv: readonly string[]
  readonly env: { readonly [name: string]: string | undefined }
  readonly stdin: NodeJS.ReadStream
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
  emit(signal: 'SIGINT', name: 'SIGINT'): boolean
}

/** Environment variable with the passphrase of private keys. */
export const PASSPHRASE_VARIABLE = 'SUDOAGENT_KEY_PASSPHRASE'

/** Environment variable with the default of `--approver`. */
export const APPROVER_VARIABLE = 'SUDOAGENT_APPROVER'

/** Width of a terminal that does not report one. */
const COLUMNS_DEFAULT = 80

/** Error codes of a closed pipe: from Linux and macOS, and from Node for a stream that already failed. */
const CLOSED = ['EPIPE', 'ECONNRESET', 'ERR_STREAM_DESTROYED']

export function createIo(outside: Outside): Io {
  const { argv, env, stdout, stderr } = outside
  const undos = new Set<() => void>()
  let stop: (() => void) | null = null
  const quietly = asStream(stderr, 'standard error', hasColour(stderr, argv, env))
  return {
    stdout: asStream(stdout, 'standard output', hasColour(stdout, argv, env)),
    stderr: { ...quietly, write: (text) => quietly.write(text).catch(() => {}) },
    // Reading the `stdin` property opens the stream, so the property is read only when needed.
    keyboard: () => (stderr.isTTY === true && outside.stdin.isTTY === true ? outside.stdin : null),
    pipes() {
      globalThis.console = new Console(stderr, stderr)
      return { input: outside.stdin, output: stdout }
    },
    stdin: () => outside.stdin,
    keyPassphrase: isSet(env[PASSPHRASE_VARIABLE]) ? env[PASSPHRASE_VARIABLE] : undefined,
    approver: isSet(env[APPROVER_VARIABLE]) ? env[APPROVER_VARIABLE] : undefined,
    debug: isSet(env.SUDOAGENT_DEBUG) && env.SUDOAGENT_DEBUG !== '0',
    exitCode: EXIT.ok,
    atExit(undo) {
      undos.add(undo)
      return () => undos.delete(undo)
    },
    cleanUp() {
      for (const undo of undos) {
        try {
          undo()
        } catch {
          // The process is about to end, so the error is ignored and the remaining functions still run.
        }
      }
      undos.clear()
    },
    interrupt: () => void outside.emit('SIGINT', 'SIGINT'),
    untilStopped: () =>
      new Promise((resolve) => {
        stop = resolve
      }),
    stop() {
      const told = stop
      stop = null
      told?.()
      return told !== null
    },
  }
}

const isSet = (value: string | undefined): value is string => value !== undefined && value !== ''

/** `--no-color` and NO_COLOR win over FORCE_COLOR, which wins over the terminal check (https://no-color.org). */
function hasColour(stream: NodeJS.WriteStream, argv: readonly string[], env: Outside['env']): boolean {
  if (argv.includes('--no-color') || isSet(env.NO_COLOR)) return false
  if (isSet(env.FORCE_COLOR)) return env.FORCE_COLOR !== '0' && env.FORCE_COLOR !== 'false'
  return stream.isTTY === true && env.TERM !== 'dumb'
}

function asStream(stream: NodeJS.WriteStream, name: string, colour: boolean): Stream {
  // A failed write is reported twice, to the callback and as an event. Without a listener, the event would end the
  // process.
  stream.on('error', () => {})
  const isTerminal = stream.isTTY === true
  return {
    isTerminal,
    columns: isTerminal ? stream.columns || COLUMNS_DEFAULT : undefined,
    colour,
    write: (text) =>
      new Promise((resolve, reject) => {
        stream.write(text, (error) => (error ? reject(writeFailure(error, name)) : resolve()))
      }),
  }
}

function writeFailure(error: Error, name: string): Error {
  if (CLOSED.includes(errnoOf(error))) return new PipeClosed()
  return new CliError(EXIT.failed, `${name} cannot be written: ${errnoWords(error)}`, undefined, error)
}

/** Writes a small result. A closed pipe does not change the exit code. */
export async function print(stream: Stream, text: string): Promise<void> {
  try {
    await stream.write(text)
  } catch (error) {
    if (!(error instanceof PipeClosed)) throw error
  }
}
