/** The redacted JSON form of a snapshot; the table stands in `redaction.ts`. */
import { types } from 'node:util'
import type { JsonValue } from '@sudoagent/crypto'
import { markIntegerText } from '../integer-text.js'
import { ARGUMENT_LIMITS, CLASS_NAME_LENGTH_MAX } from '../limits.js'
import { constructorName, hrefOf, mapEntries, setMembers, timeOf, viewOf } from '../snapshot/builtin.js'
import { SnapshotError } from '../snapshot/error.js'
import { kindOf } from '../snapshot/kind.js'
import { REDACTED } from './secret.js'

/** What this needs of a redactor. */
export interface JsonRedaction {
  text(text: string): string
  isSensitiveKey(key: string, value?: unknown): boolean
}

const LONE_SURROGATE = /\p{Surrogate}/u
const IDENTIFIER = /^[A-Za-z_$][\w$]*$/
const FLAG = /^--?[A-Za-z][\w-]*$/
const NAMING_KEYS: readonly string[] = ['name', 'key', 'header', 'field']

/** @throws SnapshotError as `Redactor.json` says */
export function toJson(value: unknown, redaction: JsonRedaction): JsonValue {
  return new JsonWriter(redaction).write(value)
}

class JsonWriter {
  readonly #redaction: JsonRedaction
  #depth = 0

  constructor(redaction: JsonRedaction) {
    this.#redaction = redaction
  }

  write(value: unknown): JsonValue {
    switch (typeof value) {
      case 'string':
        return this.#writeText(value)
      case 'number':
        return writeNumber(value)
      case 'bigint':
        return value.toString()
      case 'boolean':
        return value
      case 'undefined':
        return '<undefined>'
      case 'function':
        return '<function>'
      case 'object':
        return value === null ? null : this.#writeObject(value)
      default:
        return '<symbol>'
    }
  }

  #writeText(text: string): string {
    if (LONE_SURROGATE.test(text)) throw new SnapshotError('text', 'holds a lone surrogate, which is no Unicode text')
    return this.#redaction.text(text)
  }

  #writeObject(value: object): JsonValue {
    switch (kindOf(value)) {
      case 'array':
        return this.#inside(() => this.#writeElements(value as readonly unknown[]))
      case 'object':
        return this.#inside(() => this.#writeMembers(value))
      case 'map':
        return this.#inside(() =>
          label(
            '<Map>',
            mapEntries(value).map((entry) => this.#writeEntry(entry)),
          ),
        )
      case 'set':
        return this.#inside(() =>
          label(
            '<Set>',
            setMembers(value).map((member) => this.write(member)),
          ),
        )
      case 'date':
        return new Date(timeOf(value)).toISOString()
      case 'url':
        return this.#writeText(hrefOf(value) ?? '')
      case 'regexp':
        return '<RegExp>'
      case 'binary': {
        const { name, bytes } = viewOf(value)
        return `<${name}:${bytes.length}>`
      }
      case undefined:
        return this.#describe(value)
    }
  }

  #writeElements(array: readonly unknown[]): JsonValue {
    const isPair = array.length === 2 && array.every((element) => typeof element === 'string')
    const copy = array.map((element, index) => {
      const name = index === 0 ? undefined : array[index - 1]
      const isName = typeof name === 'string' && (isPair || FLAG.test(name))
      // Command lines are lists of strings: `--max-tokens`, `100`.
      const value = typeof element === 'string' && /^\d{1,16}$/.test(element) ? Number(element) : element
      return isName && this.#redaction.isSensitiveKey(name, value) ? REDACTED : this.write(element)
    })
    return marked(Object.freeze(copy), array)
  }

  #writeMembers(object: object): JsonValue {
    const members = Object.entries(object)
    const names = this.#writeKeys(members.map(([key]) => key))
    // `{name: 'Authorization', value: …}`: the form of headers and environment variables in many interfaces.
    const namesASecret = members.some(
      ([key, name]) => NAMING_KEYS.includes(key) && typeof name === 'string' && this.#redaction.isSensitiveKey(name),
    )
    const written = members.map(([key, value], index): [string, JsonValue] => {
      const isSecret =
        this.#redaction.isSensitiveKey(key, value) || (namesASecret && (key === 'value' || key === 'values'))
      return [names[index] ?? REDACTED, isSecret ? REDACTED : this.write(value)]
    })
    // Defines members, where assigning would make `__proto__` the prototype: it is a key like any other.
    const copy = Object.freeze(Object.fromEntries(written))
    for (const [index, [, value]] of members.entries())
      if (isWideInteger(value)) markIntegerText(copy, names[index] ?? REDACTED)
    return copy
  }

  /** Keys as they stand on record. Those that redaction made equal are numbered in the order of the original keys. */
  #writeKeys(keys: readonly string[]): readonly string[] {
    const written = keys.map((key) => this.#writeText(key))
    // Redaction brings text into NFC, so keys that it left alone are as distinct as they were.
    if (written.every((key, index) => key === keys[index])) return written
    const originals = keys.map((key) => key.normalize('NFC'))
    if (new Set(originals).size < keys.length) {
      throw new SnapshotError('object', 'has two keys that are one after Unicode normalisation')
    }
    const redacted = originals.flatMap((key, index) => (written[index] === key ? [] : [{ key, index }]))
    redacted.sort((a, b) => (a.key < b.key ? -1 : 1))
    const taken = new Set(originals)
    const numbers = new Map<string, number>()
    for (const { index } of redacted) {
      const name = written[index] ?? REDACTED
      let number = numbers.get(name) ?? 1
      while (taken.has(numberedName(name, number))) number++
      numbers.set(name, number + 1)
      written[index] = numberedName(name, number)
      taken.add(numberedName(name, number))
    }
    return written
  }

  #writeEntry([key, value]: readonly [unknown, unknown]): JsonValue {
    const isSecret = typeof key === 'string' && this.#redaction.isSensitiveKey(key, value)
    return Object.freeze([this.write(key), isSecret ? REDACTED : this.write(value)])
  }

  /**
   * A snapshot is never deeper than the limit and the list of arguments around it; a value that the function has changed
   * since may even be a cycle.
   */
  #inside(writeContents: () => JsonValue): JsonValue {
    if (this.#depth > ARGUMENT_LIMITS.depthMax) {
      throw new SnapshotError('value', `is nested deeper than ${ARGUMENT_LIMITS.depthMax} levels`)
    }
    this.#depth++
    const json = writeContents()
    this.#depth--
    return json
  }

  /** Names what was passed by reference, without reading a field, running a getter or waking a proxy. */
  #describe(value: object): string {
    if (types.isProxy(value)) return '<object>'
    if (types.isPromise(value)) return '<Promise>'
    const prototype: object | null = Object.getPrototypeOf(value)
    const name = prototype === null ? undefined : constructorName(prototype)
    // A name is somebody's text too, and `Object` would say that this was a plain object which had been read.
    if (name === undefined || name === 'Object' || name.length > CLASS_NAME_LENGTH_MAX) return '<object>'
    return IDENTIFIER.test(name) && this.#redaction.text(name) === name ? `<${name}>` : '<object>'
  }
}

function numberedName(name: string, number: number): string {
  return number === 1 ? name : `${name}#${number}`
}

function label(name: string, values: JsonValue[]): JsonValue {
  return Object.freeze({ [name]: Object.freeze(values) })
}

function marked(copy: readonly JsonValue[], array: readonly unknown[]): JsonValue {
  for (const [index, value] of array.entries()) if (isWideInteger(value)) markIntegerText(copy, String(index))
  return copy
}

/** A whole number that is written as its digits, because a double does not hold it. */
const isWideInteger = (value: unknown): boolean =>
  typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value))

function writeNumber(value: number): JsonValue {
  if (!Number.isFinite(value)) throw new SnapshotError('value', `is ${value}, which is no value to decide about`)
  if (isWideInteger(value)) return BigInt(value).toString()
  return value === 0 ? 0 : value
}
