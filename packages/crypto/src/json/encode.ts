/**
 * Canonical JSON: each value has exactly one text, so that a hash of the text is a hash of the value.
 *
 * The text follows RFC 8785 (JCS): no white space, keys sorted by UTF-16 code unit, strings with the shortest
 * escapes, numbers as ECMAScript prints them. `encodeCanonical` adds the ledger's rule that strings and keys are in
 * Unicode normalisation form C.
 *
 *     encodeCanonical({ b: [1.50, -0], a: 'e\u0301' }) === '{"a":"\u00e9","b":[1.5,0]}'
 *
 * A value that JSON cannot represent is refused, never converted: a hash of a silently changed value would prove
 * the wrong thing.
 */
import { CryptoError } from '../error.js'
import { JSON_DEPTH_MAX } from './value.js'

/**
 * The maximum number of values in one text. A few objects that refer to each other repeatedly can expand to 2^128
 * values without a cycle. A million values take about half a second to encode, and are a thousand times the number
 * in an entry.
 */
const JSON_VALUES_MAX = 1_000_000

/** Text that is the same in JSON and in every normalisation form, which includes most strings. */
const PLAIN_TEXT = /^[ !#-[\]-~]*$/

const PLAIN_KEY = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/

/**
 * The number of characters of an unusual key, and of steps of a path, that an error shows: its message must be one
 * readable line.
 */
const SHOWN_KEY_LENGTH_MAX = 32
const SHOWN_STEPS_MAX = 16

/**
 * Encodes a value as RFC 8785 text.
 *
 * Every value is read exactly once, through own data properties only. `-0` becomes `0`.
 *
 * @throws CryptoError `VALUE_REFUSED`, with the path of the value, for: undefined, NaN, an infinity, a bigint, a
 *   function, a symbol, a lone surrogate in a string or key, an object that is not plain (a Date, a Map, an
 *   instance of a class), a sparse array or one with additional properties, an accessor, hidden or symbol-keyed
 *   property, and values nested deeper than `JSON_DEPTH_MAX` (including cycles)
 * @example
 * encodeJcs({ b: 1e21, a: [true] }) // '{"a":[true],"b":1e+21}'
 */
export function encodeJcs(value: unknown): string {
  return encode(value, (text) => text)
}

/**
 * Encodes a value as the ledger's canonical text: like `encodeJcs`, after normalising strings and keys to Unicode
 * form C.
 *
 * @throws CryptoError `VALUE_REFUSED` as `encodeJcs` does, and for two keys of one object that are equal after
 *   normalisation
 */
export function encodeCanonical(value: unknown): string {
  return encode(value, (text) => text.normalize('NFC'))
}

/** The texts of deeply frozen values, stored by `encodeFixed`. */
const fixedTexts = new WeakMap<object, string>()

/**
 * Like `encodeCanonical`, for the value of a member. If the value is deeply frozen, its text is cached as long as
 * the value exists, and `encodeMembers` uses it: the hashed text is the written text, and the value is encoded
 * once.
 *
 * @param key - of the member, for the path in an error
 * @throws CryptoError `VALUE_REFUSED` as `encodeCanonical`
 */
export function encodeFixed(value: object, key: string): string {
  return guarded(toNfc, (encoder) => {
    const { text, isFixed } = encoder.memberValue(key, value)
    if (isFixed) fixedTexts.set(value, text)
    return text
  })
}

/**
 * The members of an object in canonical order: each normalised key, with the canonical text of the member including
 * its key. Joined, the texts are the result of `encodeCanonical`; a caller that adds members does not have to parse
 * a text.
 *
 * @throws CryptoError `VALUE_REFUSED` as `encodeCanonical`, and for a value that is not an object
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
    // The exception of a proxy trap, or a nearly full stack before the call: it is not passed on.
    throw encoder.refusal('cannot be read')
  }
}

/**
 * Encodes an untrusted value while reading it. Each property is read once, own data properties only, so `__proto__`
 * is an ordinary key.
 */
class Encoder {
  readonly #normalise: (text: string) => string
  readonly #path: (string | number)[] = []
  #values = 0
  /** Whether all containers so far are frozen. A proxy cannot fake this: a frozen property must keep its value. */
  #isFixed = true

  constructor(normalise: (text: string) => string) {
    this.#normalise = normalise
  }

  /** @throws CryptoError `VALUE_REFUSED`, and exceptions of a proxy trap */
  text(value: unknown): string {
    if (++this.#values > JSON_VALUES_MAX) throw this.refusal(`is one of more than ${JSON_VALUES_MAX} values`)
    switch (typeof value) {
      case 'string':
        return PLAIN_TEXT.test(value) ? `"${value}"` : JSON.stringify(this.#checked(value))
      case 'number':
        if (!Number.isFinite(value)) throw this.refusal(`is ${value}, which JSON cannot represent`)
        // ECMAScript prints -0 as 0.
        return String(value)
      case 'boolean':
        return value ? 'true' : 'false'
      case 'object':
        return value === null ? 'null' : this.#container(value)
      default:
        throw this.refusal(`is of type ${typeof value}, which JSON cannot represent`)
    }
  }

  /** The text of a member's value, and whether the value can never change. @throws as `text` */
  memberValue(key: string, value: object): { readonly text: string; readonly isFixed: boolean } {
    this.#path.push(key)
    const text = this.text(value)
    this.#path.pop()
    return { text, isFixed: this.#isFixed }
  }

  /** @throws as `text` */
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
      // By code unit, as `<` compares.
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
    // The own keys are the elements and `length`. They are counted before the loop, because `new Array(2 ** 32 -
    // 1)` costs nothing to make.
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
    if (!('value' in property) || !property.enumerable) throw this.refusal('is an accessor or a hidden property')
    const text = known?.get(property.value) ?? this.text(property.value)
    this.#path.pop()
    return text
  }

  refusal(why: string): CryptoError {
    return new CryptoError('VALUE_REFUSED', `value at \`${showPath(this.#path)}\` ${why}`)
  }
}

/** The texts of keys, cached because keys are repeated often. Limited in number and length. */
const keyTexts = new Map<string, string>()
const KEY_TEXTS_MAX = 512
const KEPT_KEY_LENGTH_MAX = 64

/** A key with its colon; null when it must be escaped or normalised. */
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
 * Formats a path: `$.parameters.args[0]`. Keys are untrusted, so an unusual one is shown as a bounded ASCII string.
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
