import { CryptoError } from '../error.js'

// `ignoreBOM` keeps a byte order mark in the text so that the strict JSON parser refuses it.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Decodes UTF-8 strictly: re-encoding the result gives the same bytes.
 *
 * @throws CryptoError `JSON_INVALID` for bytes that are not UTF-8, including overlong forms and surrogates
 */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch {
    throw new CryptoError('JSON_INVALID', 'not UTF-8')
  }
}
