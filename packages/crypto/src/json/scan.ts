import { JsonScanner, type ScannedJson } from './scanner.js'
import { JSON_DEPTH_MAX, type JsonValue } from './value.js'

/**
 * Scans JSON text strictly, in one pass. `scanner.ts` defines canonical text.
 *
 * @param depthMax - the maximum nesting of containers; at most `JSON_DEPTH_MAX`, because the scan is recursive
 * @throws CryptoError `JSON_INVALID`, with the offset: text that is not RFC 8259, a duplicate key (compared after
 *   decoding), a lone surrogate, raw or escaped, nesting deeper than `depthMax`, a number of more than 4,096
 *   characters
 * @throws RangeError for a `depthMax` outside 0..`JSON_DEPTH_MAX`
 * @example
 * const { canonical, members } = scanJson(line)
 * const span = members.get('cost')
 * if (canonical && span) line.slice(...span) // the value's own text: a number is not rounded
 */
export function scanJson(text: string, depthMax: number = JSON_DEPTH_MAX): ScannedJson {
  if (!(Number.isInteger(depthMax) && depthMax >= 0 && depthMax <= JSON_DEPTH_MAX)) {
    throw new RangeError(`depthMax must be an integer from 0 to ${JSON_DEPTH_MAX}, got \`${depthMax}\``)
  }
  return new JsonScanner(text, depthMax).scan()
}

/**
 * Like `JSON.parse`, but strict: refuses all text that `scanJson` refuses. Numbers become doubles (`1e999` becomes
 * Infinity); for exact digits, use the text of the member from `scanJson`.
 *
 * @throws CryptoError `JSON_INVALID`; RangeError for an invalid `depthMax`
 */
export function parseJson(text: string, depthMax: number = JSON_DEPTH_MAX): JsonValue {
  scanJson(text, depthMax)
  return JSON.parse(text) as JsonValue
}
