// Encodes the JSON columns of stored requests. Each value has exactly one text, so that texts can be compared.
import { encodeJcs, type JsonValue, parseJson } from '@sudoagent/crypto/json'
import { deepFreeze } from '../arguments/deep-freeze.js'
import type { ApprovalRequest } from './approval.js'

/** The ledger's limit for parameters, so that every request fits into its ledger entry. */
export const PARAMETERS_BYTES_MAX = 1024 * 1024

/** As for parameters. The engine's limit for metadata is lower. */
export const METADATA_BYTES_MAX = 1024 * 1024

/** More than the longest authority, requirement or commitment takes. */
export const SMALL_COLUMN_BYTES_MAX = 64 * 1024

/**
 * Encodes a value as canonical JSON.
 *
 * @throws TypeError if the value is not JSON or is too large
 */
export function encodeColumn(name: string, value: unknown, maxBytes: number): string {
  let text: string
  try {
    text = encodeJcs(value)
  } catch (error) {
    throw new TypeError(`\`${name}\` is not JSON`, { cause: error })
  }
  if (Buffer.byteLength(text) > maxBytes) throw new TypeError(`\`${name}\` is larger than ${maxBytes} bytes`)
  return text
}

/**
 * Decodes the result of `encodeColumn`, which an untrusted row contains. The returned value is deeply frozen.
 *
 * @throws if the text is not canonical JSON or is too large
 */
export function decodeColumn(name: string, text: string, maxBytes: number): JsonValue {
  // A UTF-16 code unit takes at least one byte. A longer text is not scanned.
  if (text.length > maxBytes) throw new TypeError(`\`${name}\` is larger than ${maxBytes} bytes`)
  const value = deepFreeze(parseJson(text))
  if (encodeColumn(name, value, maxBytes) !== text) throw new TypeError(`\`${name}\` is not canonical`)
  return value
}

/**
 * Encodes parameters as canonical JSON, `{"args":[…],"kwargs":{…}}`, so that equal parameters give equal strings.
 *
 * @throws TypeError if the parameters are not JSON or are too large
 */
export function encodeParameters(args: unknown, kwargs: unknown): string {
  if (!Array.isArray(args)) throw new TypeError('`args` must be an array')
  if (typeof kwargs !== 'object' || kwargs === null || Array.isArray(kwargs))
    throw new TypeError('`kwargs` must be an object')
  return encodeColumn('parameters', { args, kwargs }, PARAMETERS_BYTES_MAX)
}

/**
 * Decodes the result of `encodeParameters`. The returned parameters are deeply frozen.
 *
 * @throws if the text is invalid
 */
export function decodeParameters(text: string): Pick<ApprovalRequest, 'args' | 'kwargs'> {
  const value = deepFreeze(parseJson(text)) as { args?: unknown; kwargs?: unknown } | null
  const { args, kwargs } = value ?? {}
  if (!Array.isArray(args) || typeof kwargs !== 'object' || kwargs === null || Array.isArray(kwargs)) {
    throw new TypeError('the parameters are not of the form {args, kwargs}')
  }
  return { args, kwargs: kwargs as Record<string, JsonValue> }
}
