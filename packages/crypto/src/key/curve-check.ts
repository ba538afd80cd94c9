/**
 * Checks the two curve points and the scalar of an Ed25519 signature more strictly than the providers do.
 *
 * RFC 8032 leaves some cases open. OpenSSL accepts the identity point as a public key, although one fixed signature
 * is then valid for every message. By default, noble accepts encodings that OpenSSL refuses. With the checks in
 * this file, every provider returns the same verdict for a signature:
 *
 * - once per key: the encoding is canonical, and the point has neither small nor mixed order
 * - once per signature: S is below the group order, and R is not a small-order point
 */
import { Point } from '@noble/ed25519'
import { bytesToHex, hexToBytes } from '../bytes/hash.js'

const POINT_BYTES = 32
export const SIGNATURE_BYTES = 64

/** The group order L = 2^252 + 27742317777372353535851937790883648493, little-endian (RFC 8032 section 5.1). */
const ORDER = hexToBytes('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010')

/**
 * The y coordinates of the eight small-order points, little-endian without the sign bit: 0, 1, −1 and the two
 * coordinates of the points of order 8. The set also contains p and p + 1, the unreduced forms of 0 and 1.
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

/**
 * The second bytes of the elements of `SMALL_ORDER_Y`. Testing this byte avoids the lookup for about 252 of 256
 * signatures.
 */
const SMALL_ORDER_SECOND_BYTES: ReadonlySet<number> = new Set([0x00, 0xff, 0xe8, 0x17])

/**
 * A cache of keys that passed the check, in hex. One verification reads the same key several times: from the
 * caller, the genesis entry and the checkpoint. A program that verifies many receipts also reads the same keys
 * repeatedly. The cache size is limited.
 */
const soundKeys = new Set<string>()
const SOUND_KEYS_MAX = 256

/**
 * Checks the 32 bytes of a public key. Returns the fault, or null for a valid key. The first check of a key costs
 * one scalar multiplication.
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

/**
 * Reports whether a signature may be passed to a provider: 64 bytes, S below the group order, R not of small order.
 */
export function isWellFormedSignature(signature: Uint8Array): boolean {
  return signature.length === SIGNATURE_BYTES && isScalarBelowOrder(signature) && !isSmallOrderR(signature)
}

/** Reports whether R is a canonical point without a small-order component. Costs one scalar multiplication. */
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

/** Compares S (the last 32 bytes) with the group order, starting at the most significant byte. */
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
