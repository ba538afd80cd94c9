/** Sends one HTTP POST, with time and length limits and without following redirects. */
import { WitnessError } from './error.js'

/** Maximum length of an answer: a few signature lines, or a size. Sixteen post-quantum signatures take 80,000 bytes. */
const REPLY_BYTES_MAX = 128 * 1024

export interface Reply {
  readonly status: number
  /** Lower case, without parameters. */
  readonly contentType: string
  readonly body: Uint8Array
}

export interface PostOptions {
  /** Time limit for the whole exchange, in milliseconds. */
  readonly timeoutMs: number
  readonly fetch: typeof globalThis.fetch
}

/**
 * Derives the address of a witness endpoint from the submission prefix.
 *
 * @throws WitnessError `WITNESS_URL_INVALID` for schemes other than http and https, and for user names, queries and
 *   fragments
 */
export function endpointOf(prefix: string, name: string): URL {
  const url = URL.canParse(prefix) ? new URL(prefix) : null
  const isPlain = url !== null && url.username === '' && url.password === '' && !/[?#]/.test(prefix)
  if (!isPlain || !['http:', 'https:'].includes(url.protocol)) {
    throw new WitnessError('WITNESS_URL_INVALID', `\`${prefix}\` is not a witness address`, {
      hint: 'use the submission prefix of the witness, such as https://witness.example/w1',
    })
  }
  return new URL(`${url.href.replace(/\/+$/, '')}/${name}`)
}

/**
 * Sends text and reads the complete answer, with any status. A redirect is returned, not followed.
 *
 * @throws WitnessError `WITNESS_UNREACHABLE` if there is no answer in time, `WITNESS_ANSWER_INVALID` if the answer
 *   is too long
 */
export async function post(url: URL, text: string, { timeoutMs, fetch }: PostOptions): Promise<Reply> {
  const signal = AbortSignal.timeout(timeoutMs)
  try {
    const response = await fetch(url, {
      method: 'POST',
      body: text,
      headers: { 'Content-Type': 'text/plain; charset=utf-8' },
      redirect: 'manual',
      signal,
    })
    const [contentType = ''] = (response.headers.get('content-type') ?? '').split(';')
    return {
      status: response.status,
      contentType: contentType.trim().toLowerCase(),
      body: await readBounded(response, url),
    }
  } catch (error) {
    if (error instanceof WitnessError) throw error
    throw new WitnessError('WITNESS_UNREACHABLE', `the witness at \`${url.host}\` did not answer: ${reasonOf(error)}`, {
      hint: 'check that the witness is running and that this machine can connect to it, then try again',
      cause: error,
    })
  }
}

async function readBounded(response: Response, url: URL): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.length
    // Leaving the loop cancels the rest of the answer.
    if (length > REPLY_BYTES_MAX) {
      throw new WitnessError(
        'WITNESS_ANSWER_INVALID',
        `the witness at \`${url.host}\` answered with more than ${REPLY_BYTES_MAX} bytes`,
      )
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, length)
}

/** Returns the reason for a failure, which fetch stores in `cause`. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error'
  if (error.name === 'TimeoutError') return 'timed out'
  const { cause } = error
  const code = cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : ''
  return code || (cause instanceof Error && cause.message) || error.message
}
