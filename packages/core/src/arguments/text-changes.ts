/**
 * Marks the strings in a snapshot that the reader converted to Unicode NFC. The snapshot contains only the converted
 * strings, but the record counts them as changed.
 */

/**
 * A place in a copy: the name (in NFC) of a member of an object, the index of an array's element, a Set's member or a
 * Map's entry.
 */
type Place = string | number

const marks = new WeakMap<object, TextChanges>()

/** Collects the converted keys and values of one container while the container is read. */
export class TextChanges {
  // Almost no container has converted strings, so the sets are created only when they are needed.
  #keys: Set<Place> | undefined
  #values: Set<Place> | undefined

  /** Notes a key if it is a string that differs from the string that the caller passed, and returns the key. */
  noteKey<T>(place: Place, given: unknown, key: T): T {
    if (given !== key && typeof given === 'string') {
      this.#keys ??= new Set()
      this.#keys.add(place)
    }
    return key
  }

  /** Notes a value if it is a string that differs from the string that the caller passed, and returns the value. */
  noteValue<T>(place: Place, given: unknown, value: T): T {
    if (given !== value && typeof given === 'string') {
      this.#values ??= new Set()
      this.#values.add(place)
    }
    return value
  }

  hasKey(place: Place): boolean {
    return this.#keys?.has(place) === true
  }

  hasValue(place: Place): boolean {
    return this.#values?.has(place) === true
  }

  /** Stores the changes with the finished copy of the container, and returns the copy. */
  mark<T extends object>(copy: T): T {
    if (this.#keys !== undefined || this.#values !== undefined) marks.set(copy, this)
    return copy
  }
}

const NO_CHANGES = new TextChanges()

/** Returns the converted keys and values of a copy; none for an object that is not part of a snapshot. */
export function textChangesOf(copy: object): TextChanges {
  return marks.get(copy) ?? NO_CHANGES
}
