/**
 * Base64 as defined in RFC 4648 section 4: the standard alphabet with padding. Decoding is strict: each byte string
 * has exactly one encoding, so a changed base64 string is either refused or decodes to different bytes.
 *
 *     encodeBase64(Uint8Array.of(0xff, 0xee)) === '/+4='
 *     decodeBase64('/+4=') is ff ee;  '/+4', '/+5=' (stray bits), '_-4=' and '/+4=\n' are null
 */
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const PAD = 0x3d

/** Marks a character outside the alphabet. The values of characters in the alphabet use only the low six bits. */
const OUTSIDE = 0xff

const VALUE_OF_CODE = new Uint8Array(256).fill(OUTSIDE)
for (let value = 0; value < 64; value++) VALUE_OF_CODE[ALPHABET.charCodeAt(value)] = value

/** Encodes bytes as padded standard base64. */
export function encodeBase64(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i += 3) {
    const group = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0)
    const left = bytes.length - i
    text += ALPHABET.charAt(group >> 18) + ALPHABET.charAt((group >> 12) & 63)
    text += left > 1 ? ALPHABET.charAt((group >> 6) & 63) : '='
    text += left > 2 ? ALPHABET.charAt(group & 63) : '='
  }
  return text
}

/**
 * Decodes strict base64. Returns null for any input that `encodeBase64` does not produce: characters outside the
 * alphabet, missing or extra padding, white space, or nonzero bits after the last byte.
 */
export function decodeBase64(text: string): Uint8Array | null {
  if (text.length % 4 !== 0) return null
  if (text.length === 0) return new Uint8Array(0)
  const padding = text.charCodeAt(text.length - 1) !== PAD ? 0 : text.charCodeAt(text.length - 2) !== PAD ? 1 : 2
  const digits = text.length - padding
  const bytes = new Uint8Array((text.length / 4) * 3 - padding)
  let bits = 0
  let bitCount = 0
  let written = 0
  for (let i = 0; i < digits; i++) {
    const value = VALUE_OF_CODE[text.charCodeAt(i)] ?? OUTSIDE
    if (value === OUTSIDE) return null
    bits = ((bits << 6) | value) & 0x3fff
    bitCount += 6
    if (bitCount >= 8) {
      bitCount -= 8
      bytes[written++] = (bits >> bitCount) & 0xff
    }
  }
  return (bits & ((1 << bitCount) - 1)) === 0 ? bytes : null
}
