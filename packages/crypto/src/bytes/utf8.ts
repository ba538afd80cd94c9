import { CryptoError } from '../error.js'

// `ignoreBOM` means "do not swallow it": a byte order mark stays in the text, where strict JSON refuses it.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * The text of UTF-8 bytes, strictly: encoding the text again gives the same bytes.
 *
 * @throws CryptoError `JSON_INVALID` for bytes that are not UTF-8 (overlong forms and surrogates included).
 */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch {
    throw new CryptoError('JSON_INVALID', 'not UTF-8')
  }
}
