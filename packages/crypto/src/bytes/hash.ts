import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'
import { CryptoError } from '../error.js'
import { nodeCrypto } from './node-crypto.js'

declare const brand: unique symbol

/** A SHA-256 digest as 64 lower-case hex digits. Branded, so that no other string is passed for one. */
export type Hash = string & { readonly [brand]: 'Hash' }

const HASH_CHARS = 64
// The length is asked for apart: that is twice as fast as `{64}`.
const HEX = /^[0-9a-f]+$/
const HEX_OF_BYTE: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** SHA-256 (FIPS 180-4) of bytes, as 32 bytes. */
export function sha256(data: Uint8Array): Uint8Array {
  if (!nodeCrypto?.hash) return nobleSha256(data)
  // By way of a text with a character for each byte: a Buffer of node's making, and its copy, take three times as long.
  const text = nodeCrypto.hash('sha256', data, 'binary')
  const digest = new Uint8Array(text.length)
  for (let i = 0; i < digest.length; i++) digest[i] = text.charCodeAt(i)
  return digest
}

/**
 * SHA-256 as lower-case hex. A string is hashed as its UTF-8 bytes.
 *
 * @throws CryptoError `VALUE_REFUSED` when a string holds a lone surrogate: it has no UTF-8 form, and the usual
 * replacement character would give two different texts one hash.
 * @example
 * sha256Hex('abc') // 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
 */
export function sha256Hex(data: Uint8Array | string): Hash {
  if (typeof data === 'string' && !data.isWellFormed()) {
    throw new CryptoError('VALUE_REFUSED', 'text with a lone surrogate has no UTF-8 form and no hash')
  }
  if (nodeCrypto?.hash) return nodeCrypto.hash('sha256', data, 'hex') as Hash
  return bytesToHex(nobleSha256(typeof data === 'string' ? new TextEncoder().encode(data) : data)) as Hash
}

/** Whether a value is the text of a SHA-256 digest: 64 lower-case hex digits and nothing else. */
export function isHash(value: unknown): value is Hash {
  return typeof value === 'string' && value.length === HASH_CHARS && HEX.test(value)
}

/**
 * The bytes that lower-case hex stands for. Upper case is refused: one value, one text.
 *
 * @throws CryptoError `VALUE_REFUSED` for an odd length or any other character.
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

/** What a lower-case hex digit stands for; −1 for anything else. */
function digitOf(unit: number): number {
  if (unit >= 0x30 && unit <= 0x39) return unit - 0x30
  return unit >= 0x61 && unit <= 0x66 ? unit - 0x61 + 10 : -1
}

/** Lower-case hex of bytes, two digits a byte. */
export function bytesToHex(bytes: Uint8Array): string {
  let hex = ''
  for (const byte of bytes) hex += HEX_OF_BYTE[byte]
  return hex
}
