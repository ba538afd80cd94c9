/** `@sudoagent/crypto/bytes`: strict hex, base64 and UTF-8. */

export { decodeBase64, encodeBase64 } from './bytes/base64.js'
export { bytesToHex, hexToBytes, sha256Latin1 } from './bytes/hash.js'
export { decodeUtf8 } from './bytes/utf8.js'
