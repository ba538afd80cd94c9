/**
 * The server's side over stdio: a child process in a process group of its own, with a small environment.
 *
 * `npx server` is a tree: npx, a shell, the server. The tree ends with the guard: its stdin is closed, then the whole group gets SIGTERM,
 * then SIGKILL. A guard that is killed with SIGKILL can do none of this; its end of the pipe is closed by the system, and a server that
 * reads its stdin ends by itself. A process that leaves the group (setsid) is out of reach.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { getDefaultEnvironment } from '@modelcontextprotocol/sdk/client/stdio.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js'
import { printable } from '@sudoagent/ledger'
import { GuardError } from '../error.js'
import { CHILD_GRACE_MS, SERVER_MESSAGE_BYTES_MAX } from '../limits.js'
import { drained } from '../wire/drain.js'
import { stringifyExact } from '../wire/exact-json.js'
import { LineReader, LongLine } from '../wire/line-reader.js'
import { parseServerMessage, type RefusedMessage, refusedMessage } from '../wire/message.js'
import { RpcError } from '../wire/rpc-error.js'

/** What keeps a command from being started, by the code of the system; `spawn x ENOENT` says little to a person. */
const NOT_STARTED: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'there is no such command'],
  ['EACCES', 'it is not executable, or permission is denied'],
  ['ENOTDIR', 'part of its path is not a folder'],
  ['ENOEXEC', 'it is not a program for this machine'],
  ['E2BIG', 'its arguments and environment are too long'],
])

function notStarted(command: string, cwd: string | undefined, error: Error): GuardError {
  const { code = '' } = error as NodeJS.ErrnoException
  // The system answers the same for a folder that is not there.
  const where = code === 'ENOENT' && cwd !== undefined ? `, or no folder \`${printable(cwd)}\`` : ''
  const why = NOT_STARTED.get(code)
  const message = why === undefined ? printable(error.message) : `\`${printable(command)}\`: ${why}${where}`
  return new GuardError('SERVER_NOT_STARTED', message, { cause: error })
}

export interface ChildOptions {
  readonly command: string
  readonly args: readonly string[]
  /** On top of HOME, LOGNAME, PATH, SHELL, TERM and USER; nothing else of the guard's environment is handed on. */
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Where the child's stderr goes: to the guard's own unless given. */
  readonly stderr?: 'inherit' | 'ignore'
  /** How long the tree has after its stdin was closed, and again after SIGTERM, in milliseconds: 700. */
  readonly graceMs?: number
}

export class ChildUpstream implements Transport {
  onclose?: () => void
  onerror?: (error: Error) => void
  onmessage?: <T extends JSONRPCMessage>(message: T) => void
  /** Told of a message that is refused and has an id, so that it is not waited for. */
  onrefused?: (refused: RefusedMessage) => void
  readonly #options: ChildOptions
  readonly #lines = new LineReader(SERVER_MESSAGE_BYTES_MAX)
  #child: ChildProcess | null = null
  #closing: Promise<void> | null = null
  #ended = false
  /** Where one message ends and the next begins is not known any more. */
  #lost = false
  #reportEnded: () => void = () => {}
  /** Resolves when nothing of the child is left. */
  readonly ended: Promise<void>

  constructor(options: ChildOptions) {
    this.#options = options
    this.ended = new Promise((resolve) => {
      this.#reportEnded = resolve
    })
  }

  /** @throws (as a rejection) GuardError SERVER_NOT_STARTED when the command cannot be started */
  async start(): Promise<void> {
    const { command, args, env = {}, cwd, stderr = 'inherit' } = this.#options
    const child = spawn(command, [...args], {
      env: { ...getDefaultEnvironment(), ...env },
      cwd,
      stdio: ['pipe', 'pipe', stderr],
      // A group of its own, so that all of it can be ended.
      detached: true,
    })
    this.#child = child
    child.stdin?.on('error', () => {})
    child.stdout?.on('error', () => {})
    child.stdout?.on('data', (chunk: Buffer) => this.#read(chunk))
    // What npx started may outlive npx.
    child.once('exit', () => void this.close())
    // `close` comes when the child has ended and its stdout is read to the end.
    child.once('close', () => void this.#finish())
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve)
      child.once('error', (error) => reject(notStarted(command, cwd, error)))
    })
  }

  get pid(): number | null {
    return this.#child?.pid ?? null
  }

  /** Resolves when there is room for more. */
  async send(message: JSONRPCMessage): Promise<void> {
    const stdin = this.#child?.stdin
    if (this.#ended || this.#closing !== null || stdin == null || !stdin.writable)
      throw new GuardError('SERVER_ENDED', 'the server has ended')
    if (stdin.write(`${stringifyExact(message)}\n`)) return
    await drained(stdin)
  }

  /** Resolves when the whole tree has ended. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** Reads no more of the server until `resume`: the client cannot keep up. */
  pause(): void {
    this.#child?.stdout?.pause()
  }

  resume(): void {
    this.#child?.stdout?.resume()
  }

  /** Ends the tree at once and synchronously, for a process that is about to end itself. */
  killNow(): void {
    this.#signal('SIGKILL')
  }

  #signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    const pid = this.#child?.pid
    if (pid === undefined) return
    try {
      process.kill(-pid, signal)
    } catch {
      // Nothing of the group is left.
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
      this.onerror?.(error instanceof Error ? error : new Error('the server sent what cannot be read'))
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
    this.onerror?.(new Error(`the server wrote a line that is no message: ${refused.error.message}`))
    if (refused.kind !== 'other') this.onrefused?.(refused)
  }

  async #close(): Promise<void> {
    const child = this.#child
    if (child?.pid === undefined) return this.#finish()
    child.stdin?.end()
    // Nobody listens any more; unread output would keep the pipe, and so `close`, open.
    child.stdout?.resume()
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      if (await this.#isGone()) break
      this.#signal(signal)
    }
    await this.#isGone()
    this.#finish()
  }

  /** Whether no process of the group is left, now or within the grace. */
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
      // EPERM: something lives there that is not ours any more.
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

/** Between two looks at whether the group is gone. */
const POLL_MS = 20
