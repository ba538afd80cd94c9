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
import { CryptoError } from '../error.js'
import { JSON_DEPTH_MAX } from './value.js'

/**
 * How many values one text may hold. A few objects that refer to one another many times over unfold into 2^128 values
 * without a cycle. A million takes about half a second to encode, and is a thousand times what an entry holds.
 */
const JSON_VALUES_MAX = 1_000_000

/** Text that is its own JSON form and in every normalisation form: nearly all of it. */
const PLAIN_TEXT = /^[ !#-[\]-~]*$/

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

/** Texts of what can never change, by `encodeFixed`. */
const fixedTexts = new WeakMap<object, string>()

/**
 * As `encodeCanonical`, of what is to be the value of a member. When it is frozen all the way down, the text is kept as long as the value is, and
 * `encodeMembers` takes it from there: what was hashed is what is written, and it is encoded once.
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
 * The members of an object, in canonical order: each key as it is after normalisation, beside the canonical text of the member, key and all.
 * Joined they are what `encodeCanonical` gives; whoever adds members of its own need not take a text apart for it.
 *
 * @throws CryptoError `VALUE_REFUSED` as `encodeCanonical`, and for anything but an object.
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
    // A proxy's trap, or a stack that was nearly full before the call: whatever was thrown is not ours to pass on.
    throw encoder.refusal('cannot be read')
  }
}

/** Writes a foreign value while it reads it: each property once, own data properties only, so `__proto__` is a key like any other. */
class Encoder {
  readonly #normalise: (text: string) => string
  readonly #path: (string | number)[] = []
  #values = 0
  /** Whether all containers so far are frozen. A proxy cannot pretend that: what it says of a frozen property must be and stay so. */
  #isFixed = true

  constructor(normalise: (text: string) => string) {
    this.#normalise = normalise
  }

  /** @throws CryptoError `VALUE_REFUSED`, and whatever a proxy's trap throws. */
  text(value: unknown): string {
    if (++this.#values > JSON_VALUES_MAX) throw this.refusal(`is one of more than ${JSON_VALUES_MAX} values`)
    switch (typeof value) {
      case 'string':
        return PLAIN_TEXT.test(value) ? `"${value}"` : JSON.stringify(this.#checked(value))
      case 'number':
        if (!Number.isFinite(value)) throw this.refusal(`is ${value}, which JSON cannot write`)
        // ECMAScript prints -0 as 0.
        return String(value)
      case 'boolean':
        return value ? 'true' : 'false'
      case 'object':
        return value === null ? 'null' : this.#container(value)
      default:
        throw this.refusal(`is of type ${typeof value}, which JSON cannot write`)
    }
  }

  /** The value of a member, and whether it will be the same for ever. @throws as `text` */
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
    if (isTwice) throw this.refusal('has two keys that are one after Unicode normalisation')
    return members
  }

  #key(key: string): string {
    this.#path.push(key)
    const name = this.#checked(key)
    this.#path.pop()
    return name
  }

  #checked(text: string): string {
    if (!text.isWellFormed()) throw this.refusal('holds a lone surrogate, which UTF-8 cannot write')
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
    // Own keys are the elements and `length`. Counted before the loop: `new Array(2 ** 32 - 1)` is cheap to make.
    if (Reflect.ownKeys(array).length !== length + 1) throw this.refusal('is a sparse array, or has other properties')
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

/** Keys come again and again: what stands for them in a text. Bounded, in number and in length. */
const keyTexts = new Map<string, string>()
const KEY_TEXTS_MAX = 512
const KEPT_KEY_CHARS_MAX = 64

/** A key with its colon; null where it has to be escaped or normalised. */
function plainKeyText(key: string): string | null {
  const known = keyTexts.get(key)
  if (known !== undefined) return known
  if (!PLAIN_TEXT.test(key)) return null
  const text = `"${key}":`
  if (key.length > KEPT_KEY_CHARS_MAX) return text
  if (keyTexts.size >= KEY_TEXTS_MAX) keyTexts.clear()
  keyTexts.set(key, text)
  return text
}

const textOf = ([, text]: readonly [key: string, text: string]): string => text

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return !Array.isArray(value) && (prototype === Object.prototype || prototype === null)
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
