/** `@sudoagent/crypto/json`: canonical JSON encoding and strict JSON parsing. */

export { canonicalText, decimalOf } from './json/canonical-text.js'
export { encodeCanonical, encodeFixed, encodeJcs, encodeMembers } from './json/encode.js'
export { indentJson } from './json/layout.js'
export { parseJson, scanJson } from './json/scan.js'
export type { ScannedJson } from './json/scanner.js'
export { JSON_DEPTH_MAX, type JsonValue } from './json/value.js'
