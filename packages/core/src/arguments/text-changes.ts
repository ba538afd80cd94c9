/**
 * Marks the strings in a snapshot that the reader converted to Unicode NFC, and keeps the strings as given. The
 * snapshot contains only the converted strings, but the record counts them as changed, and a commitment binds the
 * strings as given.
 */

/**
 * A place in a copy: the name (in NFC) of a member of an object, the index of an array's element, a Set's member or a
 * Map's entry.
 */
type Place = string | number

const marks = new WeakMap<object, TextChanges>()

/** Collects the converted keys and values of one container while the container is read. */
export class TextChanges {
  // Almost no container has converted strings, so the maps are created only when they are needed.
  #keys: Map<Place, string> | undefined
  #values: Map<Place, string> | undefined

  /** Notes a key if it is a string that differs from the string that the caller passed, and returns the key. */
  noteKey<T>(place: Place, given: unknown, key: T): T {
    if (given !== key && typeof given === 'string') {
      this.#keys ??= new Map()
      this.#keys.set(place, given)
    }
    return key
  }

  /** Notes a value if it is a string that differs from the string that the caller passed, and returns the value. */
  noteValue<T>(place: Place, given: unknown, value: T): T {
    if (given !== value && typeof given === 'string') {
      this.#values ??= new Map()
      this.#values.set(place, given)
    }
    return value
  }

  hasKey(place: Place): boolean {
    return this.#keys?.has(place) === true
  }

  hasValue(place: Place): boolean {
    return this.#values?.has(place) === true
  }

  /** Returns the key as the caller passed it. @param key - the key in the copy */
  givenKey(place: Place, key: string): string {
    return this.#keys?.get(place) ?? key
  }

  /** Returns the string as the caller passed it. @param value - the string in the copy */
  givenValue(place: Place, value: string): string {
    return this.#values?.get(place) ?? value
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
