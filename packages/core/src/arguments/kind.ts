/**
 * Which objects are copies that a snapshot made, and of what kind.
 *
 * Asked again, a proxy may answer differently: a class instance when the snapshot was taken, a plain object with a
 * harmless amount when the policy looks. So the question is asked once, while reading, and the answer is kept here.
 * Everything that walks a snapshot afterwards asks `kindOf` and never the object itself.
 */

/** `binary` is an ArrayBuffer or a view of one. */
export type CopyKind = 'array' | 'object' | 'date' | 'map' | 'set' | 'url' | 'regexp' | 'binary'

const kinds = new WeakMap<object, CopyKind>()

/** Marks a fresh copy that nobody else holds. Returns it. */
export function markCopy<T extends object>(copy: T, kind: CopyKind): T {
  kinds.set(copy, kind)
  return copy
}

/** The kind of a copy; undefined for a primitive and for everything that was passed by reference. */
export function kindOf(value: unknown): CopyKind | undefined {
  return typeof value === 'object' && value !== null ? kinds.get(value) : undefined
}
