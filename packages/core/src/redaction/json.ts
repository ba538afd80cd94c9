/** Converts a snapshot to its redacted JSON form. `redactor.ts` contains the conversion table. */
import type { JsonValue } from '@sudoagent/crypto/json'
import { hrefOf, mapEntries, setMembers, timeOf, viewOf } from '../arguments/builtin.js'
import { SnapshotError } from '../arguments/error.js'
import { markIntegerText } from '../arguments/integer-text.js'
import { kindOf } from '../arguments/kind.js'
import { ARGUMENT_LIMITS } from '../limits.js'
import { findSecretArguments } from '../secret/command-line.js'
import { isCredential } from '../secret/credential.js'
import { isNamingKey, isValueKey } from '../secret/key-word.js'
import { type ConcealedPart, type ConcealmentKind, REDACTED, type Span } from '../secret/masked-text.js'
import { numberNames } from '../secret/name/numbered-name.js'
import { type Concealment, type ConcealmentList, pathText } from './concealment.js'
import { nameOfReference } from './reference-name.js'

/** The part of a redactor that this file uses. */
export interface JsonRedaction {
  redact(text: string): { readonly text: string; readonly parts: readonly ConcealedPart[] }
  isSensitiveKey(key: string, value?: unknown): boolean
  isDeclaredKey(key: string): boolean
  /** Whether the value at this place is exempt from redaction. */
  isKept(path: readonly string[]): boolean
  findCommands(text: string): readonly Span[]
}

/** A redacted value and the list of its concealed parts. */
export interface Redacted {
  readonly json: JsonValue
  readonly concealed: readonly Concealment[]
  /** The number of concealed UTF-16 code units that neither an option nor a credential's form declares as secret. */
  readonly undeclared: number
}

const LONE_SURROGATE = /\p{Surrogate}/u
const FLAG = /^--?[A-Za-z][\w-]*$/
/** Matches the placeholder for a value that is not JSON, such as `<undefined>` or `<Uint8Array:16>`. */
const PLACEHOLDER = /^<[\p{ID_Start}$_][\p{ID_Continue}$]*(?::\d+)?>$/u
const CONTAINER_TAGS: readonly string[] = ['<Map>', '<Set>']
/**
 * The prefix for a string that looks like a placeholder, so that `'<undefined>'` and `undefined` have different
 * records.
 */
const ESCAPE = '<text>'

/** @throws SnapshotError as `Redactor.json` */
export function toJson(value: unknown, redaction: JsonRedaction, concealed: ConcealmentList): JsonValue {
  return new JsonWriter(redaction, concealed).write(value)
}

/** The effect of a sensitive name on the values under it. */
type Secrecy = 'declared' | 'named' | 'inherited'

class JsonWriter {
  readonly #redaction: JsonRedaction
  readonly #concealed: ConcealmentList
  readonly #path: string[] = []
  #depth = 0
  /** Whether the current place is exempt from redaction by the option `keep`. */
  #isKept = false
  /** Set while the values under a sensitive name are being written. */
  #secrecy: Secrecy | null = null

  constructor(redaction: JsonRedaction, concealed: ConcealmentList) {
    this.#redaction = redaction
    this.#concealed = concealed
  }

  write(value: unknown): JsonValue {
    switch (typeof value) {
      case 'string':
        return this.#secrecy === null ? this.#writeText(value) : this.#concealText(value)
      case 'number':
        return this.#secrecy === null ? writeNumber(value) : this.#conceal(String(writeNumber(value)), true)
      case 'bigint':
        return this.#secrecy === null ? value.toString() : this.#conceal(value.toString(), true)
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
    return this.#tagged(text, this.#redactText(text))
  }

  /** Escapes a string that looks like a placeholder. */
  #tagged(text: string, redacted: string): string {
    const isTag = text.startsWith(REDACTED) || text.startsWith(ESCAPE) || PLACEHOLDER.test(redacted)
    return isTag ? ESCAPE + redacted : redacted
  }

  #redactText(text: string): string {
    requireUnicode(text)
    if (this.#isKept) return text.normalize('NFC')
    const { text: redacted, parts } = this.#redaction.redact(text)
    for (const { kind, length, declared } of parts) this.#concealed.add(pathText(this.#path), kind, length, declared)
    return redacted
  }

  #concealText(text: string): string {
    requireUnicode(text)
    return text === '' ? '' : this.#conceal(text, isCredential(text))
  }

  /** Conceals a string under a sensitive name. */
  #conceal(text: string, isCredential: boolean): string {
    const isDeclared = this.#secrecy === 'declared' || (this.#secrecy === 'named' && isCredential)
    return this.#concealAs('name', text, isDeclared)
  }

  #concealAs(kind: ConcealmentKind, text: string, isDeclared: boolean): string {
    this.#concealed.add(pathText(this.#path), kind, text.length, isDeclared)
    return REDACTED
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
            mapEntries(value).map((entry, index) => this.#writeEntry(entry, index)),
          ),
        )
      case 'set':
        return this.#inside(() =>
          label(
            '<Set>',
            setMembers(value).map((member, index) => this.#under(String(index), null, member)),
          ),
        )
      case 'date': {
        const text = new Date(timeOf(value)).toISOString()
        return this.#secrecy === null ? text : this.#conceal(text, false)
      }
      case 'url': {
        const text = hrefOf(value) ?? ''
        return this.#secrecy === null ? this.#writeText(text) : this.#conceal(text, false)
      }
      case 'regexp':
        return '<RegExp>'
      case 'binary': {
        const { name, bytes } = viewOf(value)
        return `<${name}:${bytes.length}>`
      }
      case undefined:
        return nameOfReference(value, (name) => this.#redaction.redact(name).text === name)
    }
  }

  /**
   * Writes a value one level down. `secrecy` comes from the value's own name. Without a name, the value inherits the
   * secrecy of its container.
   */
  #under(segment: string, secrecy: Secrecy | null, value: unknown): JsonValue {
    const [around, wasKept] = [this.#secrecy, this.#isKept]
    this.#path.push(segment)
    this.#isKept = wasKept || this.#redaction.isKept(this.#path)
    if (this.#isKept) this.#secrecy = null
    else this.#secrecy = around === 'declared' ? around : (secrecy ?? (around === null ? null : 'inherited'))
    const json = this.write(value)
    this.#path.pop()
    this.#secrecy = around
    this.#isKept = wasKept
    return json
  }

  #secrecyOf(name: string, value: unknown): Secrecy | null {
    if (!this.#redaction.isSensitiveKey(name, value)) return null
    return this.#redaction.isDeclaredKey(name) ? 'declared' : 'named'
  }

  #writeElements(array: readonly unknown[]): JsonValue {
    const secrets = this.#secrecy === null ? findSecretArguments(array, this.#redaction.findCommands) : null
    const isPair = array.length === 2 && array.every((element) => typeof element === 'string')
    const copy = array.map((element, index) => {
      const name = index === 0 ? undefined : array[index - 1]
      const isName = typeof name === 'string' && (isPair || FLAG.test(name))
      // A command line is a list of strings: `--max-tokens`, `100`.
      const value = typeof element === 'string' && /^\d{1,16}$/.test(element) ? Number(element) : element
      const secrecy = isName ? this.#secrecyOf(name, value) : null
      const start = secrecy === null && typeof element === 'string' ? secrets?.get(index) : undefined
      return start === undefined
        ? this.#under(String(index), secrecy, element)
        : this.#writeArgument(String(index), String(element), start)
    })
    return marked(Object.freeze(copy), array)
  }

  /** Writes a command line argument whose text is secret from the index `start` on. */
  #writeArgument(segment: string, text: string, start: number): string {
    this.#path.push(segment)
    const isKept = this.#isKept || this.#redaction.isKept(this.#path)
    const head = text.slice(0, start)
    const written = isKept
      ? this.#writeText(text)
      : this.#writeText(head) + this.#concealAs('command', text.slice(start), isCredential(text.slice(start)))
    this.#path.pop()
    return written
  }

  #writeMembers(object: object): JsonValue {
    const members = Object.entries(object)
    const names = this.#writeKeys(members.map(([key]) => key))
    // `{name: 'Authorization', value: …}` is a common form of headers and environment variables.
    const naming = members.find(
      ([key, name]) => isNamingKey(key) && typeof name === 'string' && this.#redaction.isSensitiveKey(name),
    )
    const written = members.map(([key, value], index): [string, JsonValue] => {
      const name = names[index] ?? REDACTED
      const own = this.#secrecyOf(key, value)
      const named = naming !== undefined && isValueKey(key) ? this.#secrecyOf(String(naming[1]), value) : null
      return [name, this.#under(name, own ?? named, value)]
    })
    // Defines members. An assignment to `__proto__` would set the prototype; a defined `__proto__` is an ordinary key.
    const copy = Object.freeze(Object.fromEntries(written))
    for (const [index, [, value]] of members.entries())
      if (isWideInteger(value)) markIntegerText(copy, names[index] ?? REDACTED)
    return copy
  }

  /** Returns the recorded keys. Keys that are equal after redaction are numbered in the order of the original keys. */
  #writeKeys(keys: readonly string[]): readonly string[] {
    const written = keys.map((key) => this.#writeKey(key))
    // Redaction normalises strings to NFC. Keys that redaction did not change are therefore still different.
    if (written.every((key, index) => key === keys[index])) return written
    const originals = keys.map((key) => key.normalize('NFC'))
    if (new Set(originals).size < keys.length) {
      throw new SnapshotError('object', 'has two keys that are equal after Unicode normalisation')
    }
    return numberNames(originals, written)
  }

  #writeKey(key: string): string {
    const written = this.#redactText(key)
    const isTag = key.startsWith(REDACTED) || CONTAINER_TAGS.includes(key) || key.startsWith(ESCAPE)
    return isTag ? ESCAPE + written : written
  }

  /** Writes a Map entry. The key is written like any other value; a string key also serves as the name of the value. */
  #writeEntry([key, value]: readonly [unknown, unknown], index: number): JsonValue {
    const name = typeof key === 'string' ? this.#redactText(key) : String(index)
    const secrecy = typeof key === 'string' ? this.#secrecyOf(key, value) : null
    const around = this.#secrecy
    this.#secrecy = null
    const written = typeof key === 'string' ? this.#tagged(key, name) : this.#under(String(index), null, key)
    this.#secrecy = around
    return Object.freeze([written, this.#under(name, secrecy, value)])
  }

  /**
   * A snapshot is never deeper than the limit plus one level for the argument list. However, the function may have made
   * a value deeper, or even cyclic, since the snapshot.
   */
  #inside(writeContents: () => JsonValue): JsonValue {
    if (this.#depth > ARGUMENT_LIMITS.maxDepth) {
      throw new SnapshotError('value', `is nested deeper than ${ARGUMENT_LIMITS.maxDepth} levels`)
    }
    this.#depth++
    const json = writeContents()
    this.#depth--
    return json
  }
}

function requireUnicode(text: string): void {
  if (LONE_SURROGATE.test(text))
    throw new SnapshotError('text', 'contains a lone surrogate, which is not valid Unicode')
}

function label(name: string, values: JsonValue[]): JsonValue {
  return Object.freeze({ [name]: Object.freeze(values) })
}

function marked(copy: readonly JsonValue[], array: readonly unknown[]): JsonValue {
  for (const [index, value] of array.entries()) if (isWideInteger(value)) markIntegerText(copy, String(index))
  return copy
}

/** Whether an integer is written as a string of digits, because a double cannot represent it exactly. */
const isWideInteger = (value: unknown): boolean =>
  typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value))

function writeNumber(value: number): JsonValue {
  if (!Number.isFinite(value)) throw new SnapshotError('value', `is ${value}, which cannot be recorded`)
  if (isWideInteger(value)) return BigInt(value).toString()
  return value === 0 ? 0 : value
}
