// A new key pair in two files: both or neither, each created anew, never through what is there already. All of it is synchronous, so that no
// signal finds one file without the other.
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmdirSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { CliError, EXIT } from '../exit.js'
import { errnoHint, errnoOf, errnoWords } from '../terminal/errno.js'

export interface KeyPaths {
  readonly privateKey: string
  readonly publicKey: string
  /** Whether key files that are there may be replaced. Files that hold something else never are. */
  readonly overwrite: boolean
}

/** A key pair as it goes into its files. */
export interface KeyPairPem {
  /** Encrypted or not. */
  readonly privateKey: string
  readonly publicKey: string
}

/**
 * Writes the private key for its owner alone (0600) and the public one for everybody (0644).
 * Folders that do not exist are made for the owner alone (0700).
 * When one cannot be written the other is taken back, and files that were to be replaced stand where they stood.
 *
 * @throws CliError naming the file
 */
export function writeKeyPair(pem: KeyPairPem, { privateKey, publicKey, overwrite }: KeyPaths): void {
  const undos: (() => void)[] = []
  const replaced: string[] = []
  try {
    for (const [path, text, mode] of [
      [privateKey, pem.privateKey, 0o600],
      [publicKey, pem.publicKey, 0o644],
    ] as const) {
      makeFolder(dirname(path), undos)
      const aside = overwrite ? moveAside(path) : null
      if (aside !== null) {
        replaced.push(aside)
        undos.push(() => renameSync(aside, path))
      }
      create(path, text, mode, undos)
    }
  } catch (error) {
    for (const undo of undos.reverse()) undo()
    throw error
  }
  for (const path of replaced) unlinkSync(path)
}

/** Makes a folder and those above it that are missing. */
function makeFolder(folder: string, undos: (() => void)[]): void {
  try {
    // Which of them were missing: `recursive` says which was the first.
    const first = mkdirSync(folder, { recursive: true, mode: 0o700 })
    if (first === undefined) return
    undos.push(() => {
      for (let made = resolve(folder); made.length >= first.length; made = dirname(made)) rmdirSync(made)
    })
  } catch (error) {
    throw failure(folder, error)
  }
}

function create(path: string, text: string, mode: number, undos: (() => void)[]): void {
  try {
    // `wx`: fails on whatever is there, a symbolic link included.
    const fd = openSync(path, 'wx', mode)
    undos.push(() => unlinkSync(path))
    try {
      writeFileSync(fd, text)
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    throw errnoOf(error) === 'EEXIST' ? alreadyThere(path) : failure(path, error)
  }
}

/**
 * Asks nobody for a passphrase in vain: what is there now will hardly be gone when the pair is written.
 *
 * @throws CliError when one of the files is there and must not be replaced
 */
export function refuseExisting({ privateKey, publicKey, overwrite }: KeyPaths): void {
  for (const path of [privateKey, publicKey]) {
    if (!overwrite && lstatSync(path, { throwIfNoEntry: false }) !== undefined) throw alreadyThere(path)
  }
}

const alreadyThere = (path: string): CliError =>
  new CliError(EXIT.failed, `\`${path}\` exists already`, 'name another file, or replace the old keys with --overwrite')

/** Gives an old key file another name, so that it can be put back. Returns that name; null when there is nothing. */
function moveAside(path: string): string | null {
  const there = lstatSync(path, { throwIfNoEntry: false })
  if (there === undefined) return null
  const isLink = there.isSymbolicLink()
  if (!isLink && !(there.isFile() && looksLikeKey(path))) {
    throw new CliError(
      EXIT.failed,
      `\`${path}\` is no key file`,
      '--overwrite replaces key files only; name another file',
    )
  }
  const aside = join(dirname(path), `.sudoagent-${randomBytes(8).toString('hex')}.old`)
  try {
    renameSync(path, aside)
  } catch (error) {
    throw failure(path, error)
  }
  return aside
}

function looksLikeKey(path: string): boolean {
  const begin = Buffer.from('-----BEGIN ')
  const start = Buffer.alloc(begin.length)
  try {
    const fd = openSync(path, 'r')
    try {
      const length = readSync(fd, start, 0, start.length, 0)
      return length === 0 || start.equals(begin)
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    throw failure(path, error)
  }
}

function failure(path: string, error: unknown): CliError {
  return new CliError(EXIT.failed, `\`${path}\` cannot be written: ${errnoWords(error)}`, errnoHint(error), error)
}
