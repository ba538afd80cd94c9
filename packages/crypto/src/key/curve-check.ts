/**
 * Checks of the two curve points and the scalar in Ed25519 that go beyond those of the providers.
 *
 * RFC 8032 leaves some cases open: OpenSSL accepts the identity point as a public key, under which one fixed
 * signature is valid for every message; noble by default accepts encodings that OpenSSL refuses. With the checks in
 * this file, a signature has the same verdict with every provider:
 *
 * - once per key: its encoding is canonical, its order is not small, it has no component of small order
 * - once per signature: S is below the group order, and R is not one of the points of small order
 */
import { Point } from '@noble/ed25519'
import { bytesToHex, hexToBytes } from '../bytes/hash.js'

const POINT_BYTES = 32
export const SIGNATURE_BYTES = 64

/** The group order L = 2^252 + 27742317777372353535851937790883648493, little-endian (RFC 8032 section 5.1). */
const ORDER = hexToBytes('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010')

/**
 * The y coordinates, little-endian without the sign bit, of the eight points of small order: 0, 1, -1 and the two
 * of order 8; and p and p + 1, which are unreduced forms of 0 and 1.
 */
const SMALL_ORDER_Y: ReadonlySet<string> = new Set([
  `00${'00'.repeat(31)}`,
  `01${'00'.repeat(31)}`,
  `ec${'ff'.repeat(30)}7f`,
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  `ed${'ff'.repeat(30)}7f`,
  `ee${'ff'.repeat(30)}7f`,
])

/** The second bytes of the elements of the set: this test spares 252 of 256 signatures the lookup. */
const SMALL_ORDER_SECOND_BYTES: ReadonlySet<number> = new Set([0x00, 0xff, 0xe8, 0x17])

/**
 * Keys that passed the check, in hexadecimal. A key is read several times for one ledger (from the caller, the
 * genesis entry and the checkpoint), and by programs that verify many receipts. Limited in number.
 */
const soundKeys = new Set<string>()
const SOUND_KEYS_MAX = 256

/**
 * Checks the 32 bytes of a public key. Returns the fault, or null for a sound key. Costs a scalar multiplication
 * the first time.
 */
export function publicKeyFault(bytes: Uint8Array): 'not a point' | 'small order' | 'mixed order' | null {
  const name = bytesToHex(bytes)
  if (soundKeys.has(name)) return null
  const point = decodePoint(bytes)
  if (point === null) return 'not a point'
  if (point.isSmallOrder()) return 'small order'
  if (!point.isTorsionFree()) return 'mixed order'
  if (soundKeys.size >= SOUND_KEYS_MAX) soundKeys.clear()
  soundKeys.add(name)
  return null
}

/** Whether a signature may be passed to a provider: 64 bytes, S below the group order, R not of small order. */
export function isWellFormedSignature(signature: Uint8Array): boolean {
  return signature.length === SIGNATURE_BYTES && isScalarBelowOrder(signature) && !isSmallOrderR(signature)
}

/** Whether R of a signature is a canonical point with no component of small order. Costs a scalar multiplication. */
export function isTorsionFreeR(signature: Uint8Array): boolean {
  return decodePoint(signature.subarray(0, POINT_BYTES))?.isTorsionFree() ?? false
}

function decodePoint(bytes: Uint8Array): Point | null {
  try {
    return Point.fromBytes(bytes, false)
  } catch {
    return null
  }
}

/** Compares S, the last 32 bytes, with the order, from the most significant byte down. */
function isScalarBelowOrder(signature: Uint8Array): boolean {
  for (let i = POINT_BYTES - 1; i >= 0; i--) {
    const s = signature[POINT_BYTES + i] ?? 0
    const order = ORDER[i] ?? 0
    if (s !== order) return s < order
  }
  return false
}

function isSmallOrderR(signature: Uint8Array): boolean {
  if (!SMALL_ORDER_SECOND_BYTES.has(signature[1] ?? 0)) return false
  const y = signature.slice(0, POINT_BYTES)
  y[POINT_BYTES - 1] = (y[POINT_BYTES - 1] ?? 0) & 0x7f
  return SMALL_ORDER_Y.has(bytesToHex(y))
}
