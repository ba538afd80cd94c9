// Evidence that somebody names: a receipt, a checkpoint, a policy. A file, a pipe, or `-` for standard input; maybe missing, endless, or
// something else altogether.
import { open } from 'node:fs/promises'
import { decodeUtf8 } from '@sudoagent/crypto'
import { CliError, EXIT } from '../exit.js'
import { errnoHint, errnoOf, errnoWords } from '../terminal/errno.js'
import type { Io } from '../terminal/io.js'

/** Read at a time from a file. */
const CHUNK_BYTES = 256 * 1024

/**
 * Reads what `path` names, `-` being standard input. Of what is longer than `bytesMax`, one byte more is read and the rest is not: that it is
 * too long is for its parser to say.
 *
 * @param what - names it in messages: `receipt`
 * @throws CliError when it cannot be read
 */
export async function readInput(path: string, what: string, bytesMax: number, io: Io): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  try {
    for await (const chunk of path === '-' ? io.stdin() : chunksOf(path)) {
      chunks.push(chunk)
      length += chunk.length
      if (length > bytesMax) break
    }
  } catch (error) {
    const hint = errnoOf(error) === 'ENOENT' ? `check the path of the ${what}` : errnoHint(error)
    const name = path === '-' ? 'standard input' : `${what} \`${path}\``
    throw new CliError(EXIT.failed, `${name} cannot be read: ${errnoWords(error)}`, hint, error)
  }
  return Buffer.concat(chunks).subarray(0, bytesMax + 1)
}

/** The same as UTF-8 text. @throws CliError also when it is too long or no text */
export async function readText(path: string, what: string, bytesMax: number, io: Io): Promise<string> {
  const bytes = await readInput(path, what, bytesMax, io)
  if (bytes.length > bytesMax)
    throw new CliError(EXIT.failed, `\`${path}\` is too large for a ${what}`, guessKind(bytes))
  try {
    return decodeUtf8(bytes)
  } catch (error) {
    throw new CliError(EXIT.failed, `\`${path}\` is no ${what}: it is not UTF-8 text`, guessKind(bytes), error)
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

/** How files begin that are taken for one another. */
const BEGINNINGS: readonly (readonly [RegExp, string])[] = [
  [/^$/, 'it is empty'],
  [/^SQLite format 3\0/, 'it is a SQLite database: a ledger, perhaps'],
  [/^-----BEGIN [A-Z ]*PRIVATE KEY-----/, 'it is a private key: keep it to yourself'],
  [/^-----BEGIN /, 'it is a key or a certificate in PEM'],
  [/^c2sp\.org\/tlog-proof@/, 'it is a tlog-proof'],
  [/^\{\s*"ledger_position"/, 'it is a receipt'],
  [/^\{/, 'it is JSON: a ledger, perhaps'],
  [/^old \d+\n/, 'it is a consistency proof'],
  [/^[^\n]+\n\d+\n[A-Za-z0-9+/]{43}=\n/, 'it is a checkpoint'],
  [/^[^\n+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]+=*\n?$/, 'it is a vkey'],
  [/^\s*(?:#[^\n]*\n\s*)*(?:log|witness|group|quorum) /, 'it is a witness policy'],
]

/** What a file seems to be that was taken for something else; undefined where nobody can tell. For a hint, never to decide on. */
export function guessKind(bytes: Uint8Array): string | undefined {
  const start = Buffer.from(bytes.subarray(0, 4096)).toString('latin1')
  return BEGINNINGS.find(([pattern]) => pattern.test(start))?.[1]
}

/** The same of a file, from its beginning; undefined where it cannot be read, or nobody can tell. */
export async function guessKindOf(path: string): Promise<string | undefined> {
  try {
    for await (const chunk of chunksOf(path)) return guessKind(chunk)
    return guessKind(new Uint8Array())
  } catch {
    return undefined
  }
}
