/**
 * Reads the kind of a typed array from the built-in getter, which the value cannot override; undefined for all
 * other values.
 */
const kindOf = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)?.get

/**
 * Whether a value is a `Uint8Array` (a `Buffer` is one). The check reads the typed array's internal tag, so that an
 * array from another realm (a worker, a test runner's sandbox) is accepted and an object that only imitates the
 * class is not.
 */
export function isBytes(value: unknown): value is Uint8Array {
  return kindOf?.call(value) === 'Uint8Array'
}

/** Whether two byte strings are equal. Not constant-time: for public data only. */
export function bytesEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}

/** Concatenates byte strings in a new array. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let offset = 0
  for (const part of parts) {
    out.set(part, offset)
    offset += part.length
  }
  return out
}
