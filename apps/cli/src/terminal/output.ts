// Writes to the destination of `--output`: standard output, or a file that appears only once it is complete.
//
//   regular file, or a new name → a temporary file in the same folder, flushed to disk, then renamed to the name
//   symbolic link → the same for the target of the link; the link stays
//   pipe or device (/dev/stdout, >(gzip)) → written directly
import { randomBytes } from 'node:crypto'
import { close, fsync, openSync, type Stats, unlinkSync, writeFile } from 'node:fs'
import { lstat, open, realpath, rename, stat, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { CliError, EXIT, PipeClosed } from '../exit.js'
import { errnoHint, errnoOf, errnoWords } from './errno.js'
import type { Io } from './io.js'
import { requireNotOfLedger } from './same-file.js'

export interface Output {
  write(text: string): Promise<void>
  /** Completes the output: the file appears. */
  finish(): Promise<void>
  /** Discards the output. Does nothing after `finish`. */
  discard(): Promise<void>
}

/** Size of a write, in characters; one write per entry would cost more than reading the entry. */
const CHUNK_CHARS = 64 * 1024

/** Mode of a new file. It is the mode of a ledger, because the file contains ledger text. */
const MODE_NEW = 0o600

/** Whether the result goes to standard output. */
export function isStdout(target: string | undefined): target is undefined | '-' {
  return target === undefined || target === '-'
}

/**
 * Opens the destination of `--output`; `-` or undefined is standard output.
 *
 * @param ledger - the ledger that is read; its files are never overwritten
 * @param option - the option that names the destination
 * @throws CliError with exit code 2 if the destination is a file of the ledger, and with exit code 3 if the
 *   destination cannot be written
 */
export async function openOutput(
  target: string | undefined,
  ledger: string,
  io: Io,
  option = '--output',
): Promise<Output> {
  if (isStdout(target)) return openStdout(io)
  if (target === '') throw new CliError(EXIT.usage, `${option} is empty`, 'name a file, or `-` for standard output')
  await requireNotOfLedger(target, ledger, option)
  const there = await statOf(target)
  if (there?.isDirectory())
    throw new CliError(EXIT.failed, `\`${target}\` cannot be written: it is a directory`, 'name a file in it')
  if (there?.isBlockDevice())
    throw new CliError(EXIT.failed, `\`${target}\` cannot be written: it is a block device`, 'name a file')
  return buffered(there === null || there.isFile() ? await openWhole(target, there, io) : await openDirect(target))
}

/** Writes a complete text, escaped if the destination is a terminal. @throws like `openOutput` */
export async function writeOutput(target: string | undefined, text: string, ledger: string, io: Io): Promise<void> {
  const file = await openOutput(target, ledger, io)
  try {
    const isShown = isStdout(target) && io.stdout.isTerminal
    await file.write(isShown ? (await import('../text/escape-output.js')).escapeOutput(text) : text)
    await file.finish()
  } finally {
    await file.discard()
  }
}

const none = async (): Promise<void> => {}

function openStdout(io: Io): Output {
  const output = { write: (text: string) => io.stdout.write(text), finish: none, discard: none }
  // A terminal shows each line immediately.
  return io.stdout.isTerminal ? output : buffered(output)
}

function buffered(output: Output): Output {
  let pending: string[] = []
  let chars = 0
  const flush = async (): Promise<void> => {
    const text = pending.join('')
    pending = []
    chars = 0
    if (text !== '') await output.write(text)
  }
  return {
    async write(text) {
      pending.push(text)
      chars += text.length
      if (chars >= CHUNK_CHARS) await flush()
    },
    async finish() {
      await flush()
      await output.finish()
    },
    discard: () => output.discard(),
  }
}

/**
 * The file at the path; null if there is none. A dangling link is rejected, because the output file would replace the
 * link.
 */
async function statOf(target: string): Promise<Stats | null> {
  try {
    return await stat(target)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw failure(target, error)
  }
  const link = await lstat(target).catch(() => null)
  if (link === null) return null
  throw new CliError(
    EXIT.failed,
    `\`${target}\` cannot be written: it is a dangling symbolic link`,
    'remove the link, or name another file',
  )
}

async function openWhole(target: string, there: Stats | null, io: Io): Promise<Output> {
  const path = there === null ? target : await realpath(target)
  const temporary = join(dirname(path), `.sudoagent-${randomBytes(8).toString('hex')}.tmp`)
  const mode = there === null ? MODE_NEW : there.mode & 0o777
  // The file is created synchronously, so that no signal can arrive before the cleanup is registered.
  const fd = await attempt(target, async () => openSync(temporary, 'wx', mode))
  const forget = io.atExit(() => unlinkSync(temporary))
  let isOpen = true
  const closeOnce = async (): Promise<void> => {
    forget()
    if (isOpen) {
      isOpen = false
      await promisify(close)(fd)
    }
  }
  let done = false
  return {
    write: (text) => attempt(target, () => promisify(writeFile)(fd, text)),
    finish: () =>
      attempt(target, async () => {
        await promisify(fsync)(fd)
        // The path is not checked again: the rename replaces any file that was created there in the meantime.
        await rename(temporary, path)
        done = true
        await closeOnce()
      }),
    async discard() {
      if (done) return
      done = true
      await unlink(temporary).catch(none)
      await closeOnce().catch(none)
    },
  }
}

async function openDirect(target: string): Promise<Output> {
  const file = await attempt(target, () => open(target, 'w'))
  let open_ = true
  const close = async (): Promise<void> => {
    if (open_) await file.close()
    open_ = false
  }
  return {
    write: (text) => attempt(target, () => file.writeFile(text)),
    finish: () => attempt(target, close),
    discard: () => close().catch(none),
  }
}

async function attempt<T>(target: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (error) {
    throw failure(target, error)
  }
}

function failure(target: string, error: unknown): Error {
  if (errnoOf(error) === 'EPIPE') return new PipeClosed()
  return new CliError(EXIT.failed, `\`${target}\` cannot be written: ${errnoWords(error)}`, errnoHint(error), error)
}
