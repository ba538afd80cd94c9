import type { JsonValue } from '@sudoagent/crypto/json'
import { textChangesOf } from './text-changes.js'

/**
 * Returns a part of a snapshot with the strings and keys as the caller passed them, before the conversion to Unicode
 * NFC. The caller's objects are not read again.
 *
 * @param copy - a part of a snapshot that consists of strings, numbers, booleans, null, plain objects and arrays only
 */
export function givenValue(copy: unknown): JsonValue {
  if (typeof copy !== 'object' || copy === null) return copy as JsonValue
  const changes = textChangesOf(copy)
  const given = (place: string | number, value: unknown): JsonValue =>
    typeof value === 'string' ? changes.givenValue(place, value) : givenValue(value)
  if (Array.isArray(copy)) return copy.map((element: unknown, index) => given(index, element))
  // Defines members. An assignment to `__proto__` would set the prototype.
  return Object.fromEntries(
    Object.entries(copy).map(([key, value]: [string, unknown]) => [changes.givenKey(key, key), given(key, value)]),
  )
}
