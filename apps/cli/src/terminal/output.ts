// Where a result goes: standard output, or a file that appears only when it is whole.
//
//   regular file, or nothing there   → a temporary file in the same folder, flushed to disk, then renamed over the name
//   a symbolic link                  → the same with the file that it names: the link stays
//   a pipe or device (/dev/stdout, >(gzip)) → written to as it is: there is no file that could be half there
import { randomBytes } from 'node:crypto'
import { close, fsync, openSync, type Stats, unlinkSync, writeFile } from 'node:fs'
import { lstat, open, realpath, rename, stat, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { CliError, EXIT, PipeClosed } from '../exit.js'
import { errnoHint, errnoOf, errnoWords } from './errno.js'
import type { Io } from './io.js'
import { refuseLedgerFiles } from './same-file.js'

export interface Output {
  write(text: string): Promise<void>
  /** Makes the result appear. */
  finish(): Promise<void>
  /** Leaves everything as it was before. Does nothing after `finish`. */
  discard(): Promise<void>
}

/** Text handed to the operating system at a time: entries are small, and a write of each would cost more than reading it. */
const CHUNK_CHARS = 64 * 1024

/** What a new file may be read by: the owner. It holds what the ledger holds, and ledgers are made with this mode too. */
const MODE_NEW = 0o600

/** Whether an `--output`, or its absence, means standard output. */
export function isStdout(target: string | undefined): target is undefined | '-' {
  return target === undefined || target === '-'
}

/**
 * Opens what `--output` names; `-` or nothing is standard output.
 *
 * @param ledger - the ledger that is being read: it, and what lies beside it, is never written over
 * @throws CliError usage for the ledger itself, failed for a folder or a place that cannot be written
 */
export async function openOutput(target: string | undefined, ledger: string, io: Io): Promise<Output> {
  if (isStdout(target)) return openStdout(io)
  if (target === '') throw new CliError(EXIT.usage, '--output names no file', 'name a file, or `-` for standard output')
  await refuseLedgerFiles(target, ledger)
  const there = await statOf(target)
  if (there?.isDirectory())
    throw new CliError(EXIT.failed, `\`${target}\` cannot be written: it is a directory`, 'name a file in it')
  if (there?.isBlockDevice())
    throw new CliError(EXIT.failed, `\`${target}\` cannot be written: it is a disk`, 'name a file')
  return buffered(there === null || there.isFile() ? await openWhole(target, there, io) : await openDirect(target))
}

/** Writes a result that is at hand, as a whole; to a terminal what is safe to look at. @throws as `openOutput` */
export async function writeOutput(target: string | undefined, text: string, ledger: string, io: Io): Promise<void> {
  const file = await openOutput(target, ledger, io)
  try {
    const isShown = isStdout(target) && io.stdout.isTerminal
    await file.write(isShown ? (await import('../text/harmless.js')).escapeForTerminal(text) : text)
    await file.finish()
  } finally {
    await file.discard()
  }
}

const none = async (): Promise<void> => {}

function openStdout(io: Io): Output {
  const output = { write: (text: string) => io.stdout.write(text), finish: none, discard: none }
  // A person sees each line as it is found.
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

/** What the path leads to; null when nothing is there. A link to nothing is refused: the file would take the link's place. */
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
    `\`${target}\` cannot be written: it is a link to nothing`,
    'remove the link, or name another file',
  )
}

async function openWhole(target: string, there: Stats | null, io: Io): Promise<Output> {
  const path = there === null ? target : await realpath(target)
  const temporary = join(dirname(path), `.sudoagent-${randomBytes(8).toString('hex')}.tmp`)
  const mode = there === null ? MODE_NEW : there.mode & 0o777
  // Synchronous, so that no signal comes between the file and the promise to remove it.
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
        // The name is checked again by nobody: whatever regular file it names by now is replaced as a whole.
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
