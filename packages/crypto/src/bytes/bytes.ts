/**
 * The built-in getter for the class name of a typed array. An array cannot override this getter. For a value that is
 * not a typed array, the getter returns undefined.
 */
const kindOf = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)?.get

/**
 * Reports whether a value is a `Uint8Array`; a `Buffer` qualifies. The check reads the internal tag of the typed
 * array. The check therefore accepts an array from a different realm, such as a worker or a test sandbox, and rejects
 * an object that only imitates the class.
 */
export function isBytes(value: unknown): value is Uint8Array {
  return kindOf?.call(value) === 'Uint8Array'
}

/** Reports whether two byte strings are equal. The comparison is not constant-time: use it for public data only. */
export function bytesEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}

/** Concatenates byte strings into a new array. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let offset = 0
  for (const part of parts) {
    out.set(part, offset)
    offset += part.length
  }
  return out
}
