import { JsonScanner, type ScannedJson } from './scanner.js'
import { JSON_DEPTH_MAX, type JsonValue } from './value.js'

/**
 * Scans JSON text strictly in one pass. `scanner.ts` defines the canonical form.
 *
 * @param maxDepth - the maximum nesting depth; at most `JSON_DEPTH_MAX`, because the scan is recursive
 * @throws CryptoError `JSON_INVALID`, with the offset, for text that does not follow RFC 8259, a duplicate key
 *   (compared after decoding), a raw or escaped lone surrogate, nesting deeper than `maxDepth`, or a number longer
 *   than 4,096 characters
 * @throws RangeError for a `maxDepth` outside 0..`JSON_DEPTH_MAX`
 * @example
 * const { canonical, members } = scanJson(line)
 * const span = members.get('cost')
 * if (canonical && span) line.slice(...span) // the exact digits of the value, not rounded
 */
export function scanJson(text: string, maxDepth: number = JSON_DEPTH_MAX): ScannedJson {
  if (!(Number.isInteger(maxDepth) && maxDepth >= 0 && maxDepth <= JSON_DEPTH_MAX)) {
    throw new RangeError(`maxDepth must be an integer from 0 to ${JSON_DEPTH_MAX}, got \`${maxDepth}\``)
  }
  return new JsonScanner(text, maxDepth).scan()
}

/**
 * Like `JSON.parse`, but refuses all text that `scanJson` refuses. Numbers become doubles (`1e999` becomes
 * Infinity). For exact digits, slice the text with the member spans from `scanJson`.
 *
 * @throws CryptoError `JSON_INVALID`; RangeError for an invalid `maxDepth`
 */
export function parseJson(text: string, maxDepth: number = JSON_DEPTH_MAX): JsonValue {
  scanJson(text, maxDepth)
  return JSON.parse(text) as JsonValue
}
