import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from './hash.js'
import { nodeCrypto } from './node-crypto.js'

/**
 * Returns HMAC-SHA256 (RFC 2104) of the concatenated `parts` as lower-case hex. Strings are encoded as UTF-8; they must
 * be well-formed.
 */
export function hmacSha256Hex(key: Uint8Array, ...parts: readonly (string | Uint8Array)[]): string {
  if (nodeCrypto?.createHmac) {
    const mac = nodeCrypto.createHmac('sha256', key)
    for (const part of parts) mac.update(part)
    return mac.digest('hex')
  }
  const mac = hmac.create(sha256, key)
  for (const part of parts) mac.update(typeof part === 'string' ? new TextEncoder().encode(part) : part)
  return bytesToHex(mac.digest())
}
