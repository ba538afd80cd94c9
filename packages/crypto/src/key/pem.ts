/**
 * PEM (RFC 7468) with exactly one block, read strictly: one label, standard padded base64, LF or CRLF line ends.
 *
 *     -----BEGIN PUBLIC KEY-----
 *     MCowBQYDK2VwAyEAQJHP6UJ2FdRDWuHN4vrHWTx7Fc5RIQRw43PROjGojxs=
 *     -----END PUBLIC KEY-----
 *
 * White space before and after the block is ignored; any other text there is refused, so that the key is the only
 * content of the file.
 */
import { decodeBase64, encodeBase64 } from '../bytes/base64.js'
import { CryptoError } from '../error.js'

/** An Ed25519 key has 120 characters and the largest RSA key in use 13,000; a longer text is not a key file. */
const PEM_LENGTH_MAX = 16 * 1024

/** RFC 7468 section 2: base64 is wrapped at 64 characters. */
const LINE_CHARS = 64

const BEGIN = /^-----BEGIN ([A-Z0-9 ]{1,40})-----\r?\n/
const BLOCK = /^-----BEGIN ([A-Z0-9 ]{1,40})-----\r?\n((?:[A-Za-z0-9+/=]+\r?\n)+)-----END \1-----$/

/**
 * The label of the block at the beginning of a PEM text; null when there is none. The rest is not read: the label
 * only selects the error message for the kind of key.
 */
export function pemLabel(text: string): string | null {
  return BEGIN.exec(text.slice(0, PEM_LENGTH_MAX).trimStart())?.[1] ?? null
}

/**
 * The bytes of the only block in a PEM text.
 *
 * @throws CryptoError `KEY_INVALID` when the text is too long, has no block or more than one, or its base64 is not
 *   strict
 */
export function parsePem(text: string): Uint8Array {
  if (text.length > PEM_LENGTH_MAX) throw invalid(`is longer than ${PEM_LENGTH_MAX} characters`)
  const blocks = text.split('-----BEGIN ').length - 1
  if (blocks !== 1) throw invalid(`has ${blocks} PEM blocks instead of one`)
  const body = BLOCK.exec(text.trim())?.[2]
  if (body === undefined) throw invalid('is not a complete PEM block')
  const bytes = decodeBase64(body.replace(/\r?\n/g, ''))
  if (bytes === null) throw invalid('has base64 that is not strict')
  return bytes
}

/** Formats a PEM text of one block, with LF line ends and a final line feed. */
export function formatPem(label: string, bytes: Uint8Array): string {
  const lines = encodeBase64(bytes).match(new RegExp(`.{1,${LINE_CHARS}}`, 'g')) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}

function invalid(what: string): CryptoError {
  return new CryptoError('KEY_INVALID', `the key ${what}`, 'use the original PEM file')
}
