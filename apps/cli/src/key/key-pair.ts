// Writes a new key pair into two files: both or neither, and never through an existing file or link. All writes are
// synchronous, so that a signal cannot arrive between the two files.
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
  /** Whether existing key files may be replaced. Other files are never replaced. */
  readonly overwrite: boolean
}

/** A key pair as PEM text. */
export interface KeyPairPem {
  /** Plain or encrypted. */
  readonly privateKey: string
  readonly publicKey: string
}

/**
 * Writes the private key with mode 0600 and the public key with mode 0644. Creates missing folders with mode 0700.
 * If either file cannot be written, removes the other and restores replaced files.
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

/** Creates a folder and its missing parents. */
function makeFolder(folder: string, undos: (() => void)[]): void {
  try {
    // With `recursive`, Node returns the first folder that it created.
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
    // `wx` fails if the path exists, even as a symbolic link.
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
 * Checks for existing files before the user types a passphrase.
 *
 * @throws CliError if a file exists and must not be replaced
 */
export function requireNewFiles({ privateKey, publicKey, overwrite }: KeyPaths): void {
  for (const path of [privateKey, publicKey]) {
    if (!overwrite && lstatSync(path, { throwIfNoEntry: false }) !== undefined) throw alreadyThere(path)
  }
}

const alreadyThere = (path: string): CliError =>
  new CliError(EXIT.failed, `\`${path}\` already exists`, 'name another file, or replace the old keys with --overwrite')

/** Renames an existing key file, so that it can be restored. @returns the new name; null if the file does not exist */
function moveAside(path: string): string | null {
  const there = lstatSync(path, { throwIfNoEntry: false })
  if (there === undefined) return null
  const isLink = there.isSymbolicLink()
  if (!isLink && !(there.isFile() && looksLikeKey(path))) {
    throw new CliError(
      EXIT.failed,
      `\`${path}\` is not a key file`,
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
