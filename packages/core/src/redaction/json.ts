/** Converts a snapshot to its redacted JSON form. `redactor.ts` contains the conversion table. */
import type { JsonValue } from '@sudoagent/crypto/json'
import { hrefOf, mapEntries, setMembers, timeOf, viewOf } from '../arguments/builtin.js'
import { SnapshotError } from '../arguments/error.js'
import { isWideInteger, markIntegerText } from '../arguments/integer-text.js'
import { kindOf } from '../arguments/kind.js'
import { type TextChanges, textChangesOf } from '../arguments/text-changes.js'
import { ARGUMENT_LIMITS } from '../limits.js'
import { findSecretArguments } from '../secret/command-line.js'
import { isCredential } from '../secret/credential.js'
import { isNamingKey, isValueKey } from '../secret/key-word.js'
import { type ConcealedPart, type ConcealmentKind, REDACTED, type Span } from '../secret/masked-text.js'
import { numberNames } from '../secret/name/numbered-name.js'
import { ConcealmentList, pathText } from './concealment.js'
import { escapeKey, escapeText } from './placeholder.js'
import type { Redacted } from './redacted.js'
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

const FLAG = /^--?[A-Za-z][\w-]*$/

/** @throws SnapshotError as `Redactor.json` */
export function toJson(value: unknown, redaction: JsonRedaction): Redacted {
  const writer = new JsonWriter(redaction)
  const json = writer.write(value)
  const { concealed, redacted, converted } = writer
  return { json, concealed: concealed.toArray(), undeclared: concealed.undeclared, redacted, converted }
}

/** The effect of a sensitive name on the values under it. */
type Secrecy = 'declared' | 'named' | 'inherited'

class JsonWriter {
  readonly concealed = new ConcealmentList()
  redacted = 0
  converted = 0
  readonly #redaction: JsonRedaction
  readonly #path: string[] = []
  #depth = 0
  /** Whether the current place is exempt from redaction by the option `keep`. */
  #isKept = false
  /** Set while the values under a sensitive name are being written. */
  #secrecy: Secrecy | null = null

  constructor(redaction: JsonRedaction) {
    this.#redaction = redaction
  }

  /** @param wasNormalized - whether the value is a string that the reader converted to NFC */
  write(value: unknown, wasNormalized = false): JsonValue {
    switch (typeof value) {
      case 'string': {
        const written = this.#secrecy === null ? this.#writeText(value) : this.#concealText(value)
        return this.#countText(value, written, wasNormalized)
      }
      case 'number': {
        const written = writeNumber(value)
        const isConverted = !Object.is(written, value)
        if (isConverted || this.#secrecy !== null) this.#count(isConverted)
        return this.#secrecy === null ? written : this.#conceal(String(written), true)
      }
      case 'boolean':
        return value
      case 'object':
        return value === null ? null : this.#writeObject(value)
      case 'bigint':
        this.#count(true)
        return this.#secrecy === null ? value.toString() : this.#conceal(value.toString(), true)
      default:
        this.#count(true)
        return `<${typeof value}>`
    }
  }

  /** Counts a value or key that is not recorded as itself (see `Redacted`). */
  #count(isConverted: boolean): void {
    this.redacted++
    if (isConverted) this.converted++
  }

  #countText(text: string, written: string, wasNormalized: boolean): string {
    if (wasNormalized || written !== text) this.#count(false)
    return written
  }

  #writeText(text: string): string {
    return escapeText(text, this.#redactText(text))
  }

  #redactText(text: string): string {
    requireUnicode(text)
    if (this.#isKept) return text.normalize('NFC')
    const { text: redacted, parts } = this.#redaction.redact(text)
    for (const { kind, length, declared } of parts) this.concealed.add(pathText(this.#path), kind, length, declared)
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
    this.concealed.add(pathText(this.#path), kind, text.length, isDeclared)
    return REDACTED
  }

  #writeObject(value: object): JsonValue {
    const kind = kindOf(value)
    if (kind !== 'array' && kind !== 'object') this.#count(true)
    switch (kind) {
      case 'array':
        return this.#inside(() => this.#writeElements(value as readonly unknown[]))
      case 'object':
        return this.#inside(() => this.#writeMembers(value))
      case 'map':
        return this.#inside(() => this.#writeMap(value))
      case 'set':
        return this.#inside(() => this.#writeSet(value))
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
  #under(segment: string, secrecy: Secrecy | null, value: unknown, wasNormalized: boolean): JsonValue {
    const [around, wasKept] = [this.#secrecy, this.#isKept]
    this.#path.push(segment)
    this.#isKept = wasKept || this.#redaction.isKept(this.#path)
    if (this.#isKept) this.#secrecy = null
    else this.#secrecy = around === 'declared' ? around : (secrecy ?? (around === null ? null : 'inherited'))
    const json = this.write(value, wasNormalized)
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
    const changes = textChangesOf(array)
    const isPair = array.length === 2 && array.every((element) => typeof element === 'string')
    const copy = array.map((element, index) => {
      const name = index === 0 ? undefined : array[index - 1]
      const isName = typeof name === 'string' && (isPair || FLAG.test(name))
      // A command line is a list of strings: `--max-tokens`, `100`.
      const value = typeof element === 'string' && /^\d{1,16}$/.test(element) ? Number(element) : element
      const secrecy = isName ? this.#secrecyOf(name, value) : null
      const start = secrecy === null && typeof element === 'string' ? secrets?.get(index) : undefined
      if (start === undefined) return this.#under(String(index), secrecy, element, changes.hasValue(index))
      const text = String(element)
      return this.#countText(text, this.#writeArgument(String(index), text, start), changes.hasValue(index))
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
    const changes = textChangesOf(object)
    const names = this.#writeKeys(members.map(([key]) => key))
    // `{name: 'Authorization', value: …}` is a common form of headers and environment variables.
    const naming = members.find(
      ([key, name]) => isNamingKey(key) && typeof name === 'string' && this.#redaction.isSensitiveKey(name),
    )
    const written = members.map(([key, value], index): [string, JsonValue] => {
      const name = names[index] ?? REDACTED
      const own = this.#secrecyOf(key, value)
      const named = naming !== undefined && isValueKey(key) ? this.#secrecyOf(String(naming[1]), value) : null
      this.#countText(key, name, changes.hasKey(key))
      return [name, this.#under(name, own ?? named, value, changes.hasValue(key))]
    })
    // Defines members. An assignment to `__proto__` would set the prototype; a defined `__proto__` is an ordinary key.
    const copy = Object.freeze(Object.fromEntries(written))
    members.forEach(([, value], index) => {
      if (isWideInteger(value)) markIntegerText(copy, names[index] ?? REDACTED)
    })
    return copy
  }

  /** Returns the recorded keys. Keys that are equal after redaction are numbered in the order of the original keys. */
  #writeKeys(keys: readonly string[]): readonly string[] {
    const written = keys.map((key) => escapeKey(key, this.#redactText(key)))
    // Redaction normalises strings to NFC. Keys that redaction did not change are therefore still different.
    if (written.every((key, index) => key === keys[index])) return written
    const originals = keys.map((key) => key.normalize('NFC'))
    if (new Set(originals).size < keys.length) {
      throw new SnapshotError('object', 'has two keys that are equal after Unicode normalisation')
    }
    return numberNames(originals, written)
  }

  #writeMap(map: object): JsonValue {
    const changes = textChangesOf(map)
    const entries = mapEntries(map).map((entry, index) => this.#writeEntry(entry, index, changes))
    return Object.freeze({ '<Map>': Object.freeze(entries) })
  }

  #writeSet(set: object): JsonValue {
    const changes = textChangesOf(set)
    const members = setMembers(set).map((member, index) =>
      this.#under(String(index), null, member, changes.hasValue(index)),
    )
    return Object.freeze({ '<Set>': Object.freeze(members) })
  }

  /** Writes a Map entry. The key is written like any other value; a string key also serves as the name of the value. */
  #writeEntry([key, value]: readonly [unknown, unknown], index: number, changes: TextChanges): JsonValue {
    const name = typeof key === 'string' ? this.#redactText(key) : String(index)
    const secrecy = typeof key === 'string' ? this.#secrecyOf(key, value) : null
    const around = this.#secrecy
    this.#secrecy = null
    const written =
      typeof key === 'string'
        ? this.#countText(key, escapeText(key, name), changes.hasKey(index))
        : this.#under(String(index), null, key, false)
    this.#secrecy = around
    return Object.freeze([written, this.#under(name, secrecy, value, changes.hasValue(index))])
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
  if (!text.isWellFormed()) throw new SnapshotError('text', 'contains a lone surrogate, which is not valid Unicode')
}

function marked(copy: readonly JsonValue[], array: readonly unknown[]): JsonValue {
  array.forEach((value, index) => {
    if (isWideInteger(value)) markIntegerText(copy, String(index))
  })
  return copy
}

function writeNumber(value: number): JsonValue {
  if (!Number.isFinite(value)) throw new SnapshotError('value', `is ${value}, which cannot be recorded`)
  if (isWideInteger(value)) return BigInt(value).toString()
  return value === 0 ? 0 : value
}
