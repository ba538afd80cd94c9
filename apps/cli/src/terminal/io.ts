// Everything that the outside is to a command: two streams, whether a person looks at them, the environment, and what has to be undone when
// the process ends early. Files are in `io/`.
import { Console } from 'node:console'
import { CliError, EXIT, type ExitCode, PipeClosed } from '../exit.js'
import { errnoOf, errnoWords } from './errno.js'

export interface Stream {
  readonly isTerminal: boolean
  /** Width in cells; only a terminal has one. */
  readonly columns: number | undefined
  readonly colour: boolean
  /** Resolves when the text is handed over. @throws PipeClosed, CliError */
  write(text: string): Promise<void>
}

export interface Io {
  /** Results. */
  readonly stdout: Stream
  /** Progress, findings, hints and errors. Writing to it never fails: there would be nowhere to say so. */
  readonly stderr: Stream
  /** What a person types, where one sees stderr and can answer; null where nobody does. */
  keyboard(): NodeJS.ReadStream | null
  /**
   * Both ends of a conversation with whoever started the process. From then on standard output carries that and nothing else: what code that
   * was loaded says on the console goes to standard error.
   */
  pipes(): { readonly input: NodeJS.ReadableStream; readonly output: NodeJS.WritableStream }
  /** What is piped in, in parts. */
  stdin(): AsyncIterable<Uint8Array>
  /** The passphrase of private keys, from the environment. */
  readonly keyPassphrase: string | undefined
  /** Who answers approvals, from the environment. */
  readonly approver: string | undefined
  /** Whether an internal error shows its stack. */
  readonly debug: boolean
  /** What the process ends with, set by the command that ran. */
  exitCode: ExitCode
  /** Has `undo` called, synchronously, if the process ends before the returned function is. */
  atExit(undo: () => void): () => void
  /** Undoes what is still to be undone: the process is about to end. */
  cleanUp(): void
  /** Ends the process as Ctrl-C does. */
  interrupt(): void
  /** For a command that runs until it is told to end: resolves with the first signal, which then does not end the process. */
  untilStopped(): Promise<void>
  /** Tells such a command to end; false when there is none, or it has been told before. */
  stop(): boolean
}

/** What `createIo` needs of `process`. */
export interface Outside {
  readonly argv: readonly string[]
  readonly env: { readonly [name: string]: string | undefined }
  readonly stdin: NodeJS.ReadStream
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
  emit(signal: 'SIGINT', name: 'SIGINT'): boolean
}

/** Holds the passphrase of private keys, for whoever runs where nobody can be asked. */
export const PASSPHRASE_VARIABLE = 'SUDOAGENT_KEY_PASSPHRASE'

/** Who answers approvals, where `--approver` is not given. */
export const APPROVER_VARIABLE = 'SUDOAGENT_APPROVER'

/** Width of a terminal that does not tell its own: that of the first ones. */
const COLUMNS_DEFAULT = 80

/** Closed pipes: what Linux and macOS say, and what Node says of a stream that has failed already. */
const CLOSED = ['EPIPE', 'ECONNRESET', 'ERR_STREAM_DESTROYED']

export function createIo(outside: Outside): Io {
  const { argv, env, stdout, stderr } = outside
  const undos = new Set<() => void>()
  let stop: (() => void) | null = null
  const quietly = asStream(stderr, 'standard error', hasColour(stderr, argv, env))
  return {
    stdout: asStream(stdout, 'standard output', hasColour(stdout, argv, env)),
    stderr: { ...quietly, write: (text) => quietly.write(text).catch(() => {}) },
    // Not touched before somebody is to be asked: looking at stdin is opening it.
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
          // Already undone, or it cannot be: the process ends either way, and the others still have their turn.
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

/** `--no-color` and NO_COLOR beat FORCE_COLOR, which beats what the stream is: a user who asks for no colour gets none (https://no-color.org). */
function hasColour(stream: NodeJS.WriteStream, argv: readonly string[], env: Outside['env']): boolean {
  if (argv.includes('--no-color') || isSet(env.NO_COLOR)) return false
  if (isSet(env.FORCE_COLOR)) return env.FORCE_COLOR !== '0' && env.FORCE_COLOR !== 'false'
  return stream.isTTY === true && env.TERM !== 'dumb'
}

function asStream(stream: NodeJS.WriteStream, name: string, colour: boolean): Stream {
  // The failure of a write comes twice, to its callback and as an event; an event that nobody takes would be a stack trace.
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

/** Writes a small result. That nobody reads it any more changes nothing about what the command found out. */
export async function print(stream: Stream, text: string): Promise<void> {
  try {
    await stream.write(text)
  } catch (error) {
    if (!(error instanceof PipeClosed)) throw error
  }
}
