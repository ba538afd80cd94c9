/**
 * SHA-256 and hex. This folder contains the encodings that all formats in this package use:
 *
 * - `hash.ts`: SHA-256 (FIPS 180-4) and lower-case hex
 * - `base64.ts`: base64 (RFC 4648 section 4), strict
 * - `utf8.ts`: UTF-8 (RFC 3629), strict
 * - `decimal.ts`: decimal integers up to 2^53 − 1
 * - `bytes.ts`: byte string comparison and concatenation
 *
 * Every decoder is strict and accepts exactly one encoding of each value. If two strings decoded to the same
 * signature or hash, a signed document could be changed without invalidating its signature.
 *
 *     sha256Hex('abc')                  // 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
 *     hexToBytes('BA78')                // CryptoError VALUE_REFUSED: upper case
 *     decodeBase64('/+5=')              // null: nonzero bits after the last byte
 *
 * SHA-256 comes from `node:crypto` if available, otherwise from @noble/hashes.
 */
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'
import { CryptoError } from '../error.js'
import { nodeCrypto } from './node-crypto.js'

declare const brand: unique symbol

/**
 * A SHA-256 digest as 64 lower-case hex digits. The type is branded so that other strings cannot be passed as a
 * hash.
 */
export type Hash = string & { readonly [brand]: 'Hash' }

const HASH_CHARS = 64
// The length is checked separately because that is twice as fast as matching `{64}`.
const HEX = /^[0-9a-f]+$/
const HEX_OF_BYTE: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** Returns the 32-byte SHA-256 digest (FIPS 180-4) of `data`. */
export function sha256(data: Uint8Array): Uint8Array {
  if (!nodeCrypto?.hash) return nobleSha256(data)
  // Requesting a Buffer and copying it takes three times as long.
  const text = nodeCrypto.hash('sha256', data, 'binary')
  const digest = new Uint8Array(text.length)
  for (let i = 0; i < digest.length; i++) digest[i] = text.charCodeAt(i)
  return digest
}

/**
 * Returns the SHA-256 digest as a string with one character per byte (`latin1`), which a `Buffer` writes faster than
 * hex.
 */
export function sha256Latin1(data: Uint8Array): string {
  return nodeCrypto?.hash ? nodeCrypto.hash('sha256', data, 'binary') : String.fromCharCode(...nobleSha256(data))
}

/**
 * Returns the SHA-256 digest as lower-case hex. A string is encoded as UTF-8 before hashing.
 *
 * @throws CryptoError `VALUE_REFUSED` for a string with a lone surrogate. UTF-8 cannot encode a lone surrogate. If
 *   the surrogate were replaced by U+FFFD, as is usual, two different strings could have the same hash.
 * @example
 * sha256Hex('abc') // 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
 */
export function sha256Hex(data: Uint8Array | string): Hash {
  if (typeof data === 'string' && !data.isWellFormed()) {
    throw new CryptoError('VALUE_REFUSED', 'a string with a lone surrogate cannot be encoded as UTF-8')
  }
  if (nodeCrypto?.hash) return nodeCrypto.hash('sha256', data, 'hex') as Hash
  return bytesToHex(nobleSha256(typeof data === 'string' ? new TextEncoder().encode(data) : data)) as Hash
}

/** Reports whether a value is a SHA-256 digest as 64 lower-case hex digits. */
export function isHash(value: unknown): value is Hash {
  return typeof value === 'string' && value.length === HASH_CHARS && HEX.test(value)
}

/**
 * Decodes lower-case hex. Upper case is refused so that each value has one encoding.
 *
 * @throws CryptoError `VALUE_REFUSED` for an odd length or a character other than a lower-case hex digit
 */
export function hexToBytes(hex: string): Uint8Array {
  const bytes = new Uint8Array(hex.length >> 1)
  let isHex = hex.length % 2 === 0
  for (let i = 0; i < bytes.length; i++) {
    const [high, low] = [digitOf(hex.charCodeAt(2 * i)), digitOf(hex.charCodeAt(2 * i + 1))]
    isHex &&= high >= 0 && low >= 0
    bytes[i] = (high << 4) | low
  }
  if (!isHex) throw new CryptoError('VALUE_REFUSED', 'not an even number of lower-case hex digits')
  return bytes
}

/** Returns the value of a lower-case hex digit, or −1 for any other character. */
function digitOf(unit: number): number {
  if (unit >= 0x30 && unit <= 0x39) return unit - 0x30
  return unit >= 0x61 && unit <= 0x66 ? unit - 0x61 + 10 : -1
}

/** Encodes bytes as lower-case hex, two digits per byte. */
export function bytesToHex(bytes: Uint8Array): string {
  let hex = ''
  for (const byte of bytes) hex += HEX_OF_BYTE[byte]
  return hex
}
