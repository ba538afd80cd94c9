/**
 * Strict PEM (RFC 7468): exactly one block with one label, standard padded base64, and LF or CRLF line endings.
 *
 *     -----BEGIN PUBLIC KEY-----
 *     MCowBQYDK2VwAyEAQJHP6UJ2FdRDWuHN4vrHWTx7Fc5RIQRw43PROjGojxs=
 *     -----END PUBLIC KEY-----
 *
 * White space before and after the block is ignored. Any other text outside the block is refused, so that the key
 * is the only content of the file.
 */
import { decodeBase64, encodeBase64 } from '../bytes/base64.js'
import { CryptoError } from '../error.js'

/** An Ed25519 key file has about 120 characters, and the largest RSA key file in use has about 13,000. */
const PEM_LENGTH_MAX = 16 * 1024

/** RFC 7468 section 2: base64 is wrapped at 64 characters. */
const LINE_CHARS = 64

const BEGIN = /^-----BEGIN ([A-Z0-9 ]{1,40})-----\r?\n/
const BLOCK = /^-----BEGIN ([A-Z0-9 ]{1,40})-----\r?\n((?:[A-Za-z0-9+/=]+\r?\n)+)-----END \1-----$/

/**
 * Returns the label of the PEM block at the beginning of the text, or null if the text does not begin with a block.
 * The rest of the text is not checked, because the label is only used to determine the kind of key.
 */
export function pemLabel(text: string): string | null {
  return BEGIN.exec(text.slice(0, PEM_LENGTH_MAX).trimStart())?.[1] ?? null
}

/**
 * Decodes the only block in PEM text.
 *
 * @throws CryptoError `KEY_INVALID` if the text is too long, does not contain exactly one block, or contains
 *   invalid base64
 */
export function parsePem(text: string): Uint8Array {
  if (text.length > PEM_LENGTH_MAX) throw invalid(`is longer than ${PEM_LENGTH_MAX} characters`)
  const blocks = text.split('-----BEGIN ').length - 1
  if (blocks !== 1) throw invalid(`has ${blocks} PEM blocks instead of one`)
  const body = BLOCK.exec(text.trim())?.[2]
  if (body === undefined) throw invalid('is not a complete PEM block')
  const bytes = decodeBase64(body.replace(/\r?\n/g, ''))
  if (bytes === null) throw invalid('contains base64 that is not strict')
  return bytes
}

/** Formats one PEM block with LF line endings and a final line feed. */
export function formatPem(label: string, bytes: Uint8Array): string {
  const lines = encodeBase64(bytes).match(new RegExp(`.{1,${LINE_CHARS}}`, 'g')) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}

function invalid(what: string): CryptoError {
  return new CryptoError('KEY_INVALID', `the key ${what}`, 'use the original PEM file')
}
