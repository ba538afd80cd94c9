// Reads the key files given by the user. Every error names the file.
//
//   key-file.ts      bytes and mode of a key file, at most 64 KiB; the path may also be a pipe, `<(…)`
//   private-key.ts   Ed25519 private keys: PKCS#8 PEM (RFC 5958), plain or encrypted with PBES2 (RFC 8018)
//   passphrase.ts    the passphrase: SUDOAGENT_KEY_PASSPHRASE, or typed without echo
//   commitment-key.ts   keys of commitments: random bytes, readable by the owner only
//   trusted-key.ts   public keys for verification: SPKI PEM, or a vkey (https://c2sp.org/signed-note)
//   key-pair.ts      writes a new pair into two files: both or neither
//
// The key formats themselves are parsed by @sudoagent/crypto. Its CryptoError becomes a CliError with the path:
//
//   parsePrivateKey(pem)                  CryptoError: the private key is encrypted
//   readPrivateKey('ledger.key.pem', io)  CliError: `ledger.key.pem`: the private key is encrypted, …
import { open } from 'node:fs/promises'
import { CryptoError } from '@sudoagent/crypto'
import { CliError, EXIT } from '../exit.js'
import { errnoHint, errnoOf, errnoWords } from '../terminal/errno.js'

export interface KeyFile {
  readonly path: string
  readonly bytes: Buffer
  /** Permission bits; null for a pipe or device, which has no meaningful mode. */
  readonly mode: number | null
}

export type KeyFileKind = 'key' | 'private key' | 'public key'

/** Maximum size of a key file. Longer files are not read to the end. */
const KEY_FILE_BYTES_MAX = 64 * 1024

/** Reads a key file without parsing it. @throws CliError naming the file if it cannot be read or is too large */
export async function readKeyFile(path: string, kind: KeyFileKind): Promise<KeyFile> {
  try {
    const file = await open(path, 'r')
    try {
      const stat = await file.stat()
      // A pipe (`<(…)`) returns its content in pieces.
      const bytes = Buffer.alloc(KEY_FILE_BYTES_MAX + 1)
      let length = 0
      for (let read = 1; read > 0 && length < bytes.length; length += read) {
        read = (await file.read(bytes, length, bytes.length - length)).bytesRead
      }
      if (length > KEY_FILE_BYTES_MAX) {
        throw new CliError(EXIT.failed, `\`${path}\` is too large for a key file`, `a ${kind} is a few lines of text`)
      }
      return { path, bytes: bytes.subarray(0, length), mode: stat.isFile() ? stat.mode & 0o777 : null }
    } finally {
      await file.close()
    }
  } catch (error) {
    if (error instanceof CliError) throw error
    const hint = errnoOf(error) === 'ENOENT' ? `check the path of the ${kind}` : errnoHint(error)
    throw new CliError(EXIT.failed, `${kind} \`${path}\` cannot be read: ${errnoWords(error)}`, hint, error)
  }
}

/** The text of a PEM file, decoded as latin1: PEM is ASCII, and the parser rejects everything else. */
export function pemOf({ bytes }: KeyFile): string {
  return bytes.toString('latin1')
}

/** Parses a key file. @throws CliError that names the file, in place of the CryptoError that `parse` throws */
export function parseKeyFile<T>({ path }: KeyFile, parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error
    throw new CliError(EXIT.failed, `\`${path}\`: ${error.message}`, error.hint, error)
  }
}
