// Reads bearer tokens from a file or the environment. Tokens are never taken from the command line, which other users
// can read.
import { CliError, EXIT } from '../exit.js'
import type { Io } from '../terminal/io.js'
import { readText } from './input-file.js'

/** Maximum size of a token file; a JWT with many claims has a few kilobytes. */
const TOKEN_BYTES_MAX = 16 * 1024

/**
 * @returns null if neither source has a token
 * @throws CliError if a source contains an invalid token
 */
export async function readToken(
  { file, variable }: { readonly file: string | undefined; readonly variable: string | undefined },
  io: Io,
): Promise<string | null> {
  if (file !== undefined) return checked((await readText(file, 'token', TOKEN_BYTES_MAX, io)).trim(), `\`${file}\``)
  if (variable === undefined) return null
  const found = process.env[variable]
  return found === undefined || found === '' ? null : checked(found, `the variable \`${variable}\``)
}

function checked(token: string, where: string): string {
  if (/^[\x21-\x7e]{16,}$/.test(token)) return token
  throw new CliError(
    EXIT.failed,
    `${where} does not contain a valid token`,
    'a token has at least 16 characters without white space: `openssl rand -base64 32`',
  )
}
