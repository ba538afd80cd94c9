// Reads the files that the user names: receipts, checkpoints, policies, states, tokens. Every reader of this folder
// has a size limit, and every error names the file and the expected kind.
//
//   input-file.ts       bytes or UTF-8 text of a path; `-` is standard input
//   state-file.ts       the state of `verify --state`, null before the first run
//   token.ts            bearer tokens, from a file or the environment
//   call-policy.ts      policies of calls: YAML, JSON or a module
//   witness-policy.ts   witness policies (https://c2sp.org/tlog-policy)
//
// A path may name a pipe, an endless device or the wrong file. Reading therefore stops one byte after the limit, and
// `guessKind` recognises common mix-ups by the first bytes of the file:
//
//   $ sudoagent receipt verify ledger.sqlite --public-key ledger.pub.pem
//   sudoagent: error: the receipt is not valid UTF-8 … (RECEIPT_INVALID)
//   sudoagent: hint: it is a SQLite database, possibly a ledger
import { open } from 'node:fs/promises'
import { decodeUtf8 } from '@sudoagent/crypto/bytes'
import { CliError, EXIT } from '../exit.js'
import { errnoHint, errnoOf, errnoWords } from '../terminal/errno.js'
import type { Io } from '../terminal/io.js'

/** Bytes read from a file at a time. */
const CHUNK_BYTES = 256 * 1024

/**
 * Reads a file, or standard input for `-`. Reads at most one byte more than `maxBytes`; the parser reports input
 * that is too long.
 *
 * @param what - the kind of input, for messages: `receipt`
 * @throws CliError if it cannot be read
 */
export async function readInput(path: string, what: string, maxBytes: number, io: Io): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  try {
    for await (const chunk of path === '-' ? io.stdin() : chunksOf(path)) {
      chunks.push(chunk)
      length += chunk.length
      if (length > maxBytes) break
    }
  } catch (error) {
    const hint = errnoOf(error) === 'ENOENT' ? `check the path of the ${what}` : errnoHint(error)
    const name = path === '-' ? 'standard input' : `${what} \`${path}\``
    throw new CliError(EXIT.failed, `${name} cannot be read: ${errnoWords(error)}`, hint, error)
  }
  return Buffer.concat(chunks).subarray(0, maxBytes + 1)
}

/** Reads the input as UTF-8 text. @throws CliError if the input cannot be read, is too large or is not UTF-8 */
export async function readText(path: string, what: string, maxBytes: number, io: Io): Promise<string> {
  const bytes = await readInput(path, what, maxBytes, io)
  if (bytes.length > maxBytes)
    throw new CliError(EXIT.failed, `\`${path}\` is too large for a ${what}`, guessKind(bytes))
  try {
    return decodeUtf8(bytes)
  } catch (error) {
    throw new CliError(EXIT.failed, `\`${path}\` is not a ${what}: it is not UTF-8 text`, guessKind(bytes), error)
  }
}

async function* chunksOf(path: string): AsyncGenerator<Uint8Array> {
  const file = await open(path, 'r')
  try {
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES)
      if (bytesRead === 0) return
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    await file.close()
  }
}

/** First bytes of file kinds that users mix up. */
const BEGINNINGS: readonly (readonly [RegExp, string])[] = [
  [/^$/, 'it is empty'],
  [/^SQLite format 3\0/, 'it is a SQLite database, possibly a ledger'],
  [/^-----BEGIN [A-Z ]*PRIVATE KEY-----/, 'it is a private key: keep it secret'],
  [/^-----BEGIN /, 'it is a key or a certificate in PEM'],
  [/^c2sp\.org\/tlog-proof@/, 'it is a tlog-proof'],
  [/^\{\s*"ledger_position"/, 'it is a receipt'],
  [/^\{/, 'it is JSON, possibly a ledger'],
  [/^old \d+\n/, 'it is a consistency proof'],
  [/^[^\n]+\n\d+\n[A-Za-z0-9+/]{43}=\n/, 'it is a checkpoint'],
  [/^[^\n+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]+=*\n?$/, 'it is a vkey'],
  [/^\s*(?:#[^\n]*\n\s*)*(?:log|witness|group|quorum) /, 'it is a witness policy'],
]

/** Guesses the kind of a file that was given by mistake; undefined if unknown. Only for hints, never for a decision. */
export function guessKind(bytes: Uint8Array): string | undefined {
  const start = Buffer.from(bytes.subarray(0, 4096)).toString('latin1')
  return BEGINNINGS.find(([pattern]) => pattern.test(start))?.[1]
}

/** Guesses the kind from the first chunk of a file; undefined if it is unknown or the file cannot be read. */
export async function guessKindOf(path: string): Promise<string | undefined> {
  try {
    for await (const chunk of chunksOf(path)) return guessKind(chunk)
    return guessKind(new Uint8Array())
  } catch {
    return undefined
  }
}
