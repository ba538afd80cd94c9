/**
 * Runs a server over stdio, as a child process in its own process group with a minimal environment.
 *
 * `npx server` starts a process tree: npx, a shell, the server. The guard ends the whole tree: it closes stdin,
 * then sends SIGTERM to the group, then SIGKILL.
 *
 *   close() → stdin closed → 700 ms → SIGTERM to the group → 700 ms → SIGKILL to the group
 *
 * A guard that is killed with SIGKILL cannot end the tree. In this case, the operating system closes the guard's end
 * of the pipe, and a server that reads stdin exits. The guard cannot end a process that left the group (setsid).
 *
 * Other files in this folder: http.ts connects to a server over streamable HTTP; bounded-response.ts limits the size
 * of the server's responses; number-placeholder.ts, protected-response.ts and event-rewriter.ts preserve exact
 * numbers through the SDK.
 *
 *   const upstream = new ChildUpstream({ command: 'npx', args: ['-y', '@scope/server-files', '/data'] })
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { getDefaultEnvironment } from '@modelcontextprotocol/sdk/client/stdio.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js'
import { escapeForTerminal } from '@sudoagent/crypto/text'
import { GuardError } from '../error.js'
import { CHILD_GRACE_MS, SERVER_MESSAGE_BYTES_MAX } from '../limits.js'
import { drained } from '../wire/drain.js'
import { stringifyExact } from '../wire/exact-json.js'
import { LineReader, LongLine } from '../wire/line-reader.js'
import { parseServerMessage, type RefusedMessage, refusedMessage } from '../wire/message.js'
import { RpcError } from '../wire/rpc-error.js'

/**
 * Explanations by system error code why a command cannot be started. The system's own `spawn x ENOENT` is not
 * helpful.
 */
const NOT_STARTED: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'command not found'],
  ['EACCES', 'not executable, or permission denied'],
  ['ENOTDIR', 'part of the path is not a folder'],
  ['ENOEXEC', 'not a program for this machine'],
  ['E2BIG', 'the arguments and environment are too long'],
])

function notStarted(command: string, cwd: string | undefined, error: Error): GuardError {
  const { code = '' } = error as NodeJS.ErrnoException
  // The system reports the same code for a missing folder.
  const where = code === 'ENOENT' && cwd !== undefined ? `, or folder \`${escapeForTerminal(cwd)}\` not found` : ''
  const why = NOT_STARTED.get(code)
  const message =
    why === undefined ? escapeForTerminal(error.message) : `\`${escapeForTerminal(command)}\`: ${why}${where}`
  return new GuardError('SERVER_NOT_STARTED', message, { cause: error })
}

export interface ChildOptions {
  readonly command: string
  readonly args: readonly string[]
  /**
   * Additional environment variables. From its own environment, the guard passes only HOME, LOGNAME, PATH, SHELL,
   * TERM and USER.
   */
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Destination of the child's stderr. Default: `inherit`, the guard's stderr. */
  readonly stderr?: 'inherit' | 'ignore'
  /**
   * How long the process tree may take to exit after stdin is closed, and again after SIGTERM, in milliseconds.
   * Default: 700.
   */
  readonly graceMs?: number
}

export class ChildUpstream implements Transport {
  onclose?: () => void
  onerror?: (error: Error) => void
  onmessage?: <T extends JSONRPCMessage>(message: T) => void
  /** Called for a refused message that has an id, so that a refused response fails its request at once. */
  onrefused?: (refused: RefusedMessage) => void
  readonly #options: ChildOptions
  readonly #lines = new LineReader(SERVER_MESSAGE_BYTES_MAX)
  #child: ChildProcess | null = null
  #closing: Promise<void> | null = null
  #ended = false
  /** True once the next message boundary is unknown. */
  #lost = false
  #reportEnded: () => void = () => {}
  /** Resolves when all processes in the child's group have exited. */
  readonly ended: Promise<void>

  constructor(options: ChildOptions) {
    this.#options = options
    this.ended = new Promise((resolve) => {
      this.#reportEnded = resolve
    })
  }

  /** @throws (as a rejection) GuardError SERVER_NOT_STARTED if the command cannot be started */
  async start(): Promise<void> {
    const { command, args, env = {}, cwd, stderr = 'inherit' } = this.#options
    const child = spawn(command, [...args], {
      env: { ...getDefaultEnvironment(), ...env },
      cwd,
      stdio: ['pipe', 'pipe', stderr],
      // The child gets its own process group, so that the guard can end the whole tree.
      detached: true,
    })
    this.#child = child
    child.stdin?.on('error', () => {})
    child.stdout?.on('error', () => {})
    child.stdout?.on('data', (chunk: Buffer) => this.#read(chunk))
    // A process started by npx may outlive npx.
    child.once('exit', () => void this.close())
    // `close` is emitted after the child has exited and its stdout was read to the end.
    child.once('close', () => void this.#finish())
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve)
      child.once('error', (error) => reject(notStarted(command, cwd, error)))
    })
  }

  get pid(): number | null {
    return this.#child?.pid ?? null
  }

  /** Resolves when the stream can accept more data. */
  async send(message: JSONRPCMessage): Promise<void> {
    const stdin = this.#child?.stdin
    if (this.#ended || this.#closing !== null || stdin == null || !stdin.writable)
      throw new GuardError('SERVER_ENDED', 'the server disconnected')
    if (stdin.write(`${stringifyExact(message)}\n`)) return
    await drained(stdin)
  }

  /** Resolves when the whole process tree has exited. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /**
   * Stops reading from the server until `resume` is called. Used when the client reads more slowly than the server
   * sends.
   */
  pause(): void {
    this.#child?.stdout?.pause()
  }

  resume(): void {
    this.#child?.stdout?.resume()
  }

  /** Kills the tree synchronously, for a process that is about to exit. */
  killNow(): void {
    this.#signal('SIGKILL')
  }

  #signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    const pid = this.#child?.pid
    if (pid === undefined) return
    try {
      process.kill(-pid, signal)
    } catch {
      // The group has no processes left.
    }
  }

  #read(chunk: Buffer): void {
    if (this.#lost) return
    try {
      for (const line of this.#lines.push(chunk)) {
        if (line instanceof LongLine) this.#refuse({ ...line.found, error: RpcError.tooLong(SERVER_MESSAGE_BYTES_MAX) })
        else this.#take(line)
      }
    } catch (error) {
      this.#lost = true
      this.onerror?.(error instanceof Error ? error : new Error('the server sent unreadable data'))
      void this.close()
    }
  }

  #take(line: Uint8Array): void {
    if (this.#ended || line.length === 0) return
    let message: JSONRPCMessage
    try {
      message = parseServerMessage(line)
    } catch (error) {
      this.#refuse(refusedMessage(line, error))
      return
    }
    this.onmessage?.(message)
  }

  #refuse(refused: RefusedMessage): void {
    if (this.#ended) return
    this.onerror?.(new Error(`the server wrote a line that is not a message: ${refused.error.message}`))
    if (refused.kind !== 'other') this.onrefused?.(refused)
  }

  async #close(): Promise<void> {
    const child = this.#child
    if (child?.pid === undefined) return this.#finish()
    child.stdin?.end()
    // The output is discarded: unread data would keep the pipe open and delay `close`.
    child.stdout?.resume()
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      if (await this.#isGone()) break
      this.#signal(signal)
    }
    await this.#isGone()
    this.#finish()
  }

  /** Whether all processes in the group exit within the grace period. */
  async #isGone(): Promise<boolean> {
    const { graceMs = CHILD_GRACE_MS } = this.#options
    for (let waitedMs = 0; ; waitedMs += POLL_MS) {
      if (!this.#groupLives()) return true
      if (waitedMs >= graceMs) return false
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
  }

  #groupLives(): boolean {
    const pid = this.#child?.pid
    if (pid === undefined) return false
    try {
      process.kill(-pid, 0)
      return true
    } catch (error) {
      // EPERM: the group has a process that belongs to a different user.
      return (error as NodeJS.ErrnoException).code === 'EPERM'
    }
  }

  #finish(): void {
    if (this.#ended) return
    this.#ended = true
    this.#reportEnded()
    this.onclose?.()
  }
}

/** Interval between checks for remaining processes in the group, in milliseconds. */
const POLL_MS = 20
