/**
 * Canonical JSON: each value has exactly one encoding, so a hash of the encoding identifies the value.
 *
 * The text follows RFC 8785 (JCS): no white space, keys sorted by UTF-16 code unit, strings with the shortest
 * escapes, and numbers as ECMAScript serializes them. `encodeCanonical` adds a rule of the ledger format: strings and
 * keys are in Unicode normalisation form C.
 *
 *     encodeCanonical({ b: [1.50, -0], a: 'e\u0301' }) === '{"a":"\u00e9","b":[1.5,0]}'
 *
 * A value that JSON cannot represent is refused, never converted: the hash of a silently changed value would not
 * identify the original.
 */
import { CryptoError } from '../error.js'
import { JSON_DEPTH_MAX } from './value.js'

/**
 * The maximum number of values in one encoding. Without a limit, a few objects that share references could expand
 * to 2^128 values without a cycle. Encoding a million values takes about half a second; a ledger entry has about a
 * thousand values.
 */
const JSON_VALUES_MAX = 1_000_000

/** Matches text that JSON encoding and Unicode normalisation leave unchanged. Most strings match. */
const PLAIN_TEXT = /^[ !#-[\]-~]*$/

const PLAIN_KEY = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/

/**
 * The maximum number of characters that an error message shows of an unusual key, and the maximum number of path
 * steps that it shows. These limits keep the message to one readable line.
 */
const SHOWN_KEY_LENGTH_MAX = 32
const SHOWN_STEPS_MAX = 16

/**
 * Encodes a value as RFC 8785 text.
 *
 * Every value is read exactly once, and only own data properties are read. `-0` becomes `0`.
 *
 * @throws CryptoError `VALUE_REFUSED`, with the path of the value, for undefined, NaN, an infinity, a bigint, a
 *   function, a symbol, a lone surrogate in a string or key, an object that is not plain (a Date, a Map, a class
 *   instance), a sparse array, an array with additional properties, an accessor, a non-enumerable or symbol-keyed
 *   property, and values nested deeper than `JSON_DEPTH_MAX` (including cycles)
 * @example
 * encodeJcs({ b: 1e21, a: [true] }) // '{"a":[true],"b":1e+21}'
 */
export function encodeJcs(value: unknown): string {
  return encode(value, (text) => text)
}

/**
 * Encodes a value as the canonical JSON of the ledger format. Strings and keys are normalised to Unicode form C;
 * otherwise, the result equals the result of `encodeJcs`.
 *
 * @throws CryptoError `VALUE_REFUSED` in the same cases as `encodeJcs`, and for an object with two keys that are
 *   equal after normalisation
 */
export function encodeCanonical(value: unknown): string {
  return encode(value, (text) => text.normalize('NFC'))
}

/** The encodings of deeply frozen values, cached by `encodeFixed`. */
const fixedTexts = new WeakMap<object, string>()

/**
 * Like `encodeCanonical`, but for a member value. If the value is deeply frozen, the encoding is cached for the
 * lifetime of the value, and `encodeMembers` reuses it. The value is encoded once, and the same text is hashed and
 * stored.
 *
 * @param key - the member key, for the path in an error
 * @throws CryptoError `VALUE_REFUSED` in the same cases as `encodeCanonical`
 */
export function encodeFixed(value: object, key: string): string {
  return guarded(toNfc, (encoder) => {
    const { text, isFixed } = encoder.memberValue(key, value)
    if (isFixed) fixedTexts.set(value, text)
    return text
  })
}

/**
 * Encodes the members of an object and returns them in canonical order: each normalised key, and the canonical text
 * of the whole member. Joined with commas in braces, the texts equal the result of `encodeCanonical`. A caller can
 * therefore add members without parsing JSON.
 *
 * @throws CryptoError `VALUE_REFUSED` in the same cases as `encodeCanonical`, and for a value that is not an object
 */
export function encodeMembers(value: object): readonly (readonly [key: string, text: string])[] {
  return guarded(toNfc, (encoder) => encoder.members(value, fixedTexts))
}

const toNfc = (text: string): string => text.normalize('NFC')

function encode(value: unknown, normalise: (text: string) => string): string {
  return guarded(normalise, (encoder) => encoder.text(value))
}

function guarded<T>(normalise: (text: string) => string, work: (encoder: Encoder) => T): T {
  const encoder = new Encoder(normalise)
  try {
    return work(encoder)
  } catch (error) {
    if (error instanceof CryptoError) throw error
    // A proxy trap threw, or the stack was nearly full. The original exception is not exposed.
    throw encoder.refusal('cannot be read')
  }
}

/**
 * Encodes an untrusted value while reading it. Each property is read once, and only own data properties are read,
 * so `__proto__` is an ordinary key.
 */
class Encoder {
  readonly #normalise: (text: string) => string
  readonly #path: (string | number)[] = []
  #values = 0
  /**
   * Whether all containers so far are frozen. A proxy cannot fake frozenness: a frozen property must keep its
   * value.
   */
  #isFixed = true

  constructor(normalise: (text: string) => string) {
    this.#normalise = normalise
  }

  /** @throws CryptoError `VALUE_REFUSED`, and exceptions thrown by a proxy trap */
  text(value: unknown): string {
    if (++this.#values > JSON_VALUES_MAX) throw this.refusal(`exceeds the limit of ${JSON_VALUES_MAX} values`)
    switch (typeof value) {
      case 'string':
        return PLAIN_TEXT.test(value) ? `"${value}"` : JSON.stringify(this.#checked(value))
      case 'number':
        if (!Number.isFinite(value)) throw this.refusal(`is ${value}, which JSON cannot represent`)
        // ECMAScript serializes -0 as 0.
        return String(value)
      case 'boolean':
        return value ? 'true' : 'false'
      case 'object':
        return value === null ? 'null' : this.#container(value)
      default:
        throw this.refusal(`is of type ${typeof value}, which JSON cannot represent`)
    }
  }

  /** Encodes a member value and reports whether the value is deeply frozen. @throws the errors of `text` */
  memberValue(key: string, value: object): { readonly text: string; readonly isFixed: boolean } {
    this.#path.push(key)
    const text = this.text(value)
    this.#path.pop()
    return { text, isFixed: this.#isFixed }
  }

  /** @throws the errors of `text` */
  members(
    value: object,
    known: WeakMap<object, string> | null = null,
  ): readonly (readonly [key: string, text: string])[] {
    this.#requireDepth()
    if (!isPlainObject(value)) throw this.refusal('is not a plain object')
    const members: (readonly [string, string])[] = []
    let isSorted = true
    let last = ''
    for (const key of Reflect.ownKeys(value)) {
      if (typeof key === 'symbol') throw this.refusal('has a symbol key')
      const plain = plainKeyText(key)
      const name = plain === null ? this.#key(key) : key
      // `<` compares by code unit.
      isSorted &&= members.length === 0 || last < name
      last = name
      members.push([name, (plain ?? `${JSON.stringify(name)}:`) + this.#property(value, key, known)])
    }
    if (!isSorted) members.sort(([a], [b]) => (a < b ? -1 : 1))
    const isTwice = !isSorted && members.some(([name], n) => n > 0 && members[n - 1]?.[0] === name)
    if (isTwice) throw this.refusal('has two keys that are equal after Unicode normalisation')
    return members
  }

  #key(key: string): string {
    this.#path.push(key)
    const name = this.#checked(key)
    this.#path.pop()
    return name
  }

  #checked(text: string): string {
    if (!text.isWellFormed()) throw this.refusal('contains a lone surrogate, which UTF-8 cannot encode')
    return this.#normalise(text)
  }

  #container(value: object): string {
    this.#isFixed &&= Object.isFrozen(value)
    if (!Array.isArray(value)) return `{${this.members(value).map(textOf).join(',')}}`
    this.#requireDepth()
    if (Object.getPrototypeOf(value) !== Array.prototype) throw this.refusal('is not a plain array')
    return this.#array(value)
  }

  #array(array: readonly unknown[]): string {
    const { length } = array
    // The own keys are the element indexes and `length`. Counting the keys before the loop matters because `new
    // Array(2 ** 32 - 1)` costs nothing to create.
    if (Reflect.ownKeys(array).length !== length + 1)
      throw this.refusal('is a sparse array or has additional properties')
    const elements: string[] = []
    for (let i = 0; i < length; i++) elements.push(this.#property(array, i))
    return `[${elements.join(',')}]`
  }

  #requireDepth(): void {
    if (this.#path.length < JSON_DEPTH_MAX) return
    throw this.refusal(`is nested deeper than ${JSON_DEPTH_MAX} levels, or contains itself`)
  }

  #property(holder: object, key: string | number, known: WeakMap<object, string> | null = null): string {
    this.#path.push(key)
    const property = Object.getOwnPropertyDescriptor(holder, key)
    if (property === undefined) throw this.refusal('is missing from a sparse array')
    if (!('value' in property) || !property.enumerable)
      throw this.refusal('is an accessor or a non-enumerable property')
    const text = known?.get(property.value) ?? this.text(property.value)
    this.#path.pop()
    return text
  }

  refusal(why: string): CryptoError {
    return new CryptoError('VALUE_REFUSED', `value at \`${showPath(this.#path)}\` ${why}`)
  }
}

/** The encodings of keys, cached because keys often repeat. The number and length of cached keys are limited. */
const keyTexts = new Map<string, string>()
const KEY_TEXTS_MAX = 512
const KEPT_KEY_LENGTH_MAX = 64

/** Returns the encoded key with its colon, or null if the key must be escaped or normalised. */
function plainKeyText(key: string): string | null {
  const known = keyTexts.get(key)
  if (known !== undefined) return known
  if (!PLAIN_TEXT.test(key)) return null
  const text = `"${key}":`
  if (key.length > KEPT_KEY_LENGTH_MAX) return text
  if (keyTexts.size >= KEY_TEXTS_MAX) keyTexts.clear()
  keyTexts.set(key, text)
  return text
}

const textOf = ([, text]: readonly [key: string, text: string]): string => text

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return !Array.isArray(value) && (prototype === Object.prototype || prototype === null)
}

/**
 * Formats a path, such as `$.parameters.args[0]`. Keys are untrusted, so an unusual key is shown as a truncated
 * ASCII string.
 */
function showPath(path: readonly (string | number)[]): string {
  const steps = path.slice(0, SHOWN_STEPS_MAX).map((step) => {
    if (typeof step === 'number') return `[${step}]`
    return PLAIN_KEY.test(step) ? `.${step}` : `[${asciiString(step)}]`
  })
  return `$${steps.join('')}${path.length > SHOWN_STEPS_MAX ? '…' : ''}`
}

function asciiString(text: string): string {
  const shown = JSON.stringify(text.slice(0, SHOWN_KEY_LENGTH_MAX)).replace(
    /[^\x20-\x7e]|`/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  return text.length > SHOWN_KEY_LENGTH_MAX ? `${shown}…` : shown
}
