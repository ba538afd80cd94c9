/**
 * Records which objects are copies made by a snapshot, and their kinds.
 *
 * A proxy may look like a class instance while the snapshot is taken, but like a plain object with a small amount
 * when the policy reads the proxy later. Therefore, the kind is determined once, during the snapshot, and stored
 * here. Code that walks a snapshot calls `kindOf` and never inspects the object itself.
 */

/** `binary` is an ArrayBuffer or a view of one. */
export type CopyKind = 'array' | 'object' | 'date' | 'map' | 'set' | 'url' | 'regexp' | 'binary'

const kinds = new WeakMap<object, CopyKind>()

/** Marks and returns a new copy, which no other code can reach yet. */
export function markCopy<T extends object>(copy: T, kind: CopyKind): T {
  kinds.set(copy, kind)
  return copy
}

const instances = new WeakSet<object>()

/** Marks and returns a copy of the own fields of a class instance, or of the elements of an array subclass. */
export function markInstance<T extends object>(copy: T): T {
  instances.add(copy)
  return copy
}

/** Whether a value is the copy of an instance. Only the receiver of a call is copied in this way. */
export function isInstance(value: unknown): boolean {
  return typeof value === 'object' && value !== null && instances.has(value)
}

/** Returns the kind of a copy; undefined for a primitive and for every value that was passed by reference. */
export function kindOf(value: unknown): CopyKind | undefined {
  return typeof value === 'object' && value !== null ? kinds.get(value) : undefined
}
