/**
 * Canonical JSON: one value, one text, so that a hash of the text is a hash of the value.
 *
 * The text is that of RFC 8785 (JCS): no white space, keys sorted by UTF-16 code unit, strings with the shortest
 * escapes, numbers as ECMAScript prints them. `encodeCanonical` adds the ledger's rule that strings and keys are in
 * Unicode normalisation form C.
 *
 *     encodeCanonical({ b: [1.50, -0], a: 'e\u0301' }) === '{"a":"\u00e9","b":[1.5,0]}'
 *
 * What JSON cannot say is refused, never coerced: a hash over a value that was quietly changed proves the wrong thing.
 */
import { canonicalize } from 'json-canonicalize'
import { CryptoError } from './error.js'
import { JSON_DEPTH_MAX, type JsonValue } from './json-value.js'

/**
 * How many values one text may hold. A few objects that refer to one another many times over unfold into 2^128 values
 * without a cycle. A million takes about half a second to copy, and is a thousand times what an entry holds.
 */
const JSON_VALUES_MAX = 1_000_000

const LONE_SURROGATE = /\p{Surrogate}/u
const PLAIN_KEY = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/

/** How many characters of an odd key an error shows, and how many steps of a path: it must stay one readable line. */
const SHOWN_KEY_CHARS_MAX = 32
const SHOWN_STEPS_MAX = 16

/**
 * RFC 8785 text of a value.
 *
 * Every value is read exactly once, through own data properties only. `-0` becomes `0`.
 *
 * @throws CryptoError `VALUE_REFUSED`, with the path of the value, for: undefined, NaN, an infinity, a bigint, a
 * function, a symbol, a lone surrogate in a string or key, an object that is not plain (a Date, a Map, an instance of a
 * class), a sparse array or one with extra properties, an accessor, hidden or symbol-keyed property, and anything
 * nested deeper than `JSON_DEPTH_MAX` (a cycle is).
 * @example
 * encodeJcs({ b: 1e21, a: [true] }) // '{"a":[true],"b":1e+21}'
 */
export function encodeJcs(value: unknown): string {
  return encode(value, (text) => text)
}

/**
 * The ledger's canonical text of a value: `encodeJcs` after strings and keys are brought into Unicode normalisation
 * form C.
 *
 * @throws CryptoError `VALUE_REFUSED` as `encodeJcs` does, and for two keys of one object that normalise to the same
 * key.
 */
export function encodeCanonical(value: unknown): string {
  return encode(value, (text) => text.normalize('NFC'))
}

function encode(value: unknown, normalise: (text: string) => string): string {
  const copier = new Copier(normalise)
  try {
    const copy = copier.copy(value)
    // json-canonicalize takes any object with a member named toJSON for one that serialises itself, and leaves its
    // members unsorted. The copy holds data only, so such a key is an ordinary key.
    return copier.sawToJsonKey ? writeByHand(copy) : canonicalize(copy)
  } catch (error) {
    if (error instanceof CryptoError) throw error
    // A proxy's trap, or a stack that was nearly full before the call: whatever was thrown is not ours to pass on.
    throw copier.refusal('cannot be read')
  }
}

function writeByHand(value: JsonValue): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  if (isArray(value)) return `[${value.map(writeByHand).join(',')}]`
  const keys = Object.keys(value).sort()
  return `{${keys.map((key) => `${JSON.stringify(key)}:${writeByHand(value[key] ?? null)}`).join(',')}}`
}

// Array.isArray does not narrow a union that holds a readonly array.
const isArray = (value: JsonValue): value is readonly JsonValue[] => Array.isArray(value)

/**
 * Copies a foreign value into plain data: null-prototype objects and dense arrays that nobody else holds. The encoder
 * then sees no getter, no proxy, no shared reference (json-canonicalize calls some of those cycles) and no inherited
 * property, and `__proto__` is a key like any other.
 */
class Copier {
  sawToJsonKey = false
  readonly #normalise: (text: string) => string
  readonly #path: (string | number)[] = []
  #values = 0

  constructor(normalise: (text: string) => string) {
    this.#normalise = normalise
  }

  /** @throws CryptoError `VALUE_REFUSED`, and whatever a proxy's trap throws. */
  copy(value: unknown): JsonValue {
    if (++this.#values > JSON_VALUES_MAX) throw this.refusal(`is one of more than ${JSON_VALUES_MAX} values`)
    switch (typeof value) {
      case 'string':
        return this.#copyText(value)
      case 'number':
        if (!Number.isFinite(value)) throw this.refusal(`is ${value}, which JSON cannot write`)
        return value === 0 ? 0 : value
      case 'boolean':
        return value
      case 'object':
        return value === null ? null : this.#copyContainer(value)
      default:
        throw this.refusal(`is of type ${typeof value}, which JSON cannot write`)
    }
  }

  #copyText(text: string): string {
    if (LONE_SURROGATE.test(text)) throw this.refusal('holds a lone surrogate, which UTF-8 cannot write')
    return this.#normalise(text)
  }

  #copyContainer(value: object): JsonValue {
    if (this.#path.length >= JSON_DEPTH_MAX) {
      throw this.refusal(`is nested deeper than ${JSON_DEPTH_MAX} levels, or contains itself`)
    }
    const prototype: unknown = Object.getPrototypeOf(value)
    if (Array.isArray(value)) {
      if (prototype !== Array.prototype) throw this.refusal('is not a plain array')
      return this.#copyArray(value)
    }
    if (prototype !== Object.prototype && prototype !== null) throw this.refusal('is not a plain object')
    return this.#copyObject(value)
  }

  #copyArray(array: readonly unknown[]): JsonValue {
    const { length } = array
    // Own keys are the elements and `length`. Counted before the loop: `new Array(2 ** 32 - 1)` is cheap to make.
    if (Reflect.ownKeys(array).length !== length + 1) throw this.refusal('is a sparse array, or has other properties')
    const copy: JsonValue[] = []
    for (let i = 0; i < length; i++) copy.push(this.#copyProperty(array, i))
    return copy
  }

  #copyObject(object: object): JsonValue {
    const copy: Record<string, JsonValue> = Object.create(null)
    for (const key of Reflect.ownKeys(object)) {
      if (typeof key === 'symbol') throw this.refusal('has a symbol key')
      this.#path.push(key)
      const copiedKey = this.#copyText(key)
      this.#path.pop()
      if (copiedKey in copy) throw this.refusal('has two keys that are one after Unicode normalisation')
      const copiedValue = this.#copyProperty(object, key)
      copy[copiedKey] = copiedValue
      if (copiedKey === 'toJSON') this.sawToJsonKey = true
    }
    return copy
  }

  #copyProperty(holder: object, key: string | number): JsonValue {
    this.#path.push(key)
    const property = Object.getOwnPropertyDescriptor(holder, key)
    if (property === undefined) throw this.refusal('is missing from a sparse array')
    if (!('value' in property) || !property.enumerable) throw this.refusal('is an accessor or a hidden property')
    const copy = this.copy(property.value)
    this.#path.pop()
    return copy
  }

  refusal(why: string): CryptoError {
    return new CryptoError('VALUE_REFUSED', `value at \`${showPath(this.#path)}\` ${why}`)
  }
}

/** `$.parameters.args[0]`. Keys are foreign: an odd one is shown as a bounded ASCII string. */
function showPath(path: readonly (string | number)[]): string {
  const steps = path.slice(0, SHOWN_STEPS_MAX).map((step) => {
    if (typeof step === 'number') return `[${step}]`
    return PLAIN_KEY.test(step) ? `.${step}` : `[${asciiString(step)}]`
  })
  return `$${steps.join('')}${path.length > SHOWN_STEPS_MAX ? '…' : ''}`
}

function asciiString(text: string): string {
  const shown = JSON.stringify(text.slice(0, SHOWN_KEY_CHARS_MAX)).replace(
    /[^\x20-\x7e]|`/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  return text.length > SHOWN_KEY_CHARS_MAX ? `${shown}…` : shown
}
