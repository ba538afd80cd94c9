/**
 * Reads untrusted values once, within limits, into marked copies. Each snapshot needs its own reader, because the
 * counters are cumulative.
 */
import { BIGINT_BITS_MAX, type SnapshotLimits } from '../limits.js'
import { redactSecrets } from '../secret/shape/shape-rules.js'
import {
  builtinKind,
  copyBinary,
  copyRegExp,
  hrefOf,
  isArrayPrototype,
  isPlainPrototype,
  mapEntries,
  setMembers,
  sizeOf,
  timeOf,
  viewOf,
} from './builtin.js'
import { SnapshotError } from './error.js'
import { isWideInteger } from './integer-text.js'
import { type CopyKind, kindOf, markCopy, markInstance } from './kind.js'
import { TextChanges } from './text-changes.js'

/** One step in a path. Steps are formatted only for error messages. */
interface Step {
  readonly parent: Step | undefined
  readonly key: string | number
}

/**
 * How the reader handles strings that are not in Unicode normalisation form C. `keep` leaves these strings unchanged
 * and is used for metadata, which no function receives. For `refuse` and `normalize`, which are used for arguments,
 * see `EngineOptions.unicode`.
 */
export type UnicodeHandling = 'keep' | 'refuse' | 'normalize'

/** The only member of an object that replaces a value in the record. An argument must not be such an object. */
const RESERVED_MEMBER = '_sd_digest'

const BIGINT_BOUND = 1n << BigInt(BIGINT_BITS_MAX)
const SHOWN_KEY = /^[A-Za-z_$][\w$]{0,39}$/

export class Reader {
  readonly #limits: SnapshotLimits
  readonly #name: string
  readonly #unicode: UnicodeHandling
  /**
   * The containers that are being read, outermost first. If a container occurs again, there is a cycle. The size of the
   * set is the depth.
   */
  readonly #open = new Set<object>()
  #nodes = 0
  #stringUnits = 0
  #binaryBytes = 0

  constructor(limits: SnapshotLimits, name: string, unicode: UnicodeHandling) {
    this.#limits = limits
    this.#name = name
    this.#unicode = unicode
  }

  readArguments(args: readonly unknown[]): unknown[] {
    if (!this.#foreign(undefined, () => Array.isArray(args))) throw this.#refusal(undefined, 'is not an array')
    return this.#readElements(args, undefined)
  }

  /**
   * Reads the own fields of an object of any class as plain data. The field values are read like arguments. The copy of
   * an instance is marked, because the function receives the instance itself.
   */
  readReceiver(value: unknown): unknown {
    if (typeof value !== 'object' || value === null) throw this.#refusal(undefined, 'is not an object')
    const copy = this.read(value)
    const kind = kindOf(copy)
    if (kind === undefined) {
      const readFields = () => this.#readMembers(value, Object.prototype, undefined)
      return markInstance(this.#inside(value, undefined, 'object', readFields))
    }
    if (kind !== 'array') return copy
    const prototype = this.#foreign(undefined, () => Object.getPrototypeOf(value) as object | null)
    return isArrayPrototype(prototype) ? copy : markInstance(copy as object)
  }

  read(value: unknown, at?: Step): unknown {
    this.#count(1, at)
    switch (typeof value) {
      case 'string':
        return this.#readText(value, at, 'contains')
      case 'number':
        if (!Number.isFinite(value)) throw this.#refusal(at, `is ${value}, which cannot be recorded`)
        // A very large integer is recorded with all its digits, of which there may be 309.
        if (isWideInteger(value)) this.#countUnits(String(BigInt(value)).length, at)
        return value
      case 'bigint':
        if (value >= BIGINT_BOUND || value <= -BIGINT_BOUND) {
          throw this.#refusal(at, `is an integer with more than ${BIGINT_BITS_MAX} bits`)
        }
        this.#countUnits(value.toString().length, at)
        return value
      case 'object':
        return value === null ? null : this.#readObject(value, at)
      default:
        return value
    }
  }

  #readObject(value: object, at: Step | undefined): unknown {
    if (this.#foreign(at, () => Array.isArray(value))) {
      return this.#inside(value, at, 'array', () => this.#readElements(value as readonly unknown[], at))
    }
    const prototype = this.#foreign(at, () => Object.getPrototypeOf(value) as object | null)
    if (isPlainPrototype(prototype)) {
      return this.#inside(value, at, 'object', () => this.#readMembers(value, prototype, at))
    }
    const kind = prototype === null ? undefined : builtinKind(value, prototype)
    switch (kind) {
      case 'date': {
        const time = timeOf(value)
        if (Number.isNaN(time)) throw this.#refusal(at, 'is an invalid Date')
        return markCopy(new Date(time), 'date')
      }
      case 'url':
        return markCopy(new URL(this.#readText(hrefOf(value) ?? '', at, 'contains')), 'url')
      case 'regexp': {
        const copy = this.#foreign(at, () => copyRegExp(value))
        const source = this.#readText(copy.source, at, 'contains')
        // The constructor rejects a range such as `[a-é]` if the range is invalid after normalisation.
        const read = source === copy.source ? copy : this.#foreign(at, () => new RegExp(source, copy.flags))
        read.lastIndex = copy.lastIndex
        return markCopy(read, 'regexp')
      }
      case 'binary':
        return this.#readBinary(value, at)
      case 'map':
        return this.#inside(value, at, 'map', () => this.#readMap(value, at))
      case 'set':
        return this.#inside(value, at, 'set', () => this.#readSet(value, at))
      default:
        return value
    }
  }

  #readElements(array: readonly unknown[], at: Step | undefined): unknown[] {
    const length: unknown = this.#foreign(at, () => Reflect.get(array, 'length'))
    if (typeof length !== 'number' || !Number.isInteger(length) || length < 0) {
      throw this.#refusal(at, 'is an array without a valid length')
    }
    this.#expect(length, at)
    // `Array.from` defines the elements; an assignment could run a setter on `Array.prototype` instead.
    const changes = new TextChanges()
    const copy = Array.from({ length }, (_, key) => {
      const step = { parent: at, key }
      const element = this.#foreign(step, () => Reflect.get(array, key) as unknown)
      return changes.noteValue(key, element, this.read(element, step))
    })
    return changes.mark(copy)
  }

  #readMembers(object: object, prototype: object | null, at: Step | undefined): object {
    const members: [string, unknown][] = []
    const changes = new TextChanges()
    for (const key of this.#foreign(at, () => Reflect.ownKeys(object))) {
      if (typeof key === 'symbol') continue
      const step = { parent: at, key }
      const enumerable = this.#foreign(step, () => Object.getOwnPropertyDescriptor(object, key)?.enumerable === true)
      if (!enumerable) continue
      const name = this.#readText(key, step, 'has a key with')
      const value = this.#foreign(step, () => Reflect.get(object, key) as unknown)
      members.push([changes.noteKey(name, key, name), changes.noteValue(name, value, this.read(value, step))])
    }
    if (this.#unicode !== 'keep' && members.length === 1 && members[0]?.[0] === RESERVED_MEMBER) {
      throw this.#refusal(at, `is an object with the single member \`${RESERVED_MEMBER}\`, which is reserved`)
    }
    // Object.fromEntries defines members. An assignment could run the setter of `__proto__` or a setter on
    // Object.prototype.
    const copy = Object.fromEntries(members)
    if (Object.keys(copy).length !== members.length) throw this.#twice(at)
    return changes.mark<object>(prototype === null ? Object.setPrototypeOf(copy, null) : copy)
  }

  #readMap(map: object, at: Step | undefined): Map<unknown, unknown> {
    this.#expect(2 * sizeOf(map), at)
    const copy = new Map<unknown, unknown>()
    const changes = new TextChanges()
    const entries = mapEntries(map)
    for (const [index, [key, value]] of entries.entries()) {
      const step = { parent: at, key: index }
      const copiedKey = changes.noteKey(index, key, this.read(key, step))
      copy.set(copiedKey, changes.noteValue(index, value, this.read(value, step)))
    }
    if (copy.size !== entries.length) throw this.#twice(at)
    return changes.mark(copy)
  }

  #readSet(set: object, at: Step | undefined): Set<unknown> {
    this.#expect(sizeOf(set), at)
    const changes = new TextChanges()
    const members = setMembers(set).map((member, key) =>
      changes.noteValue(key, member, this.read(member, { parent: at, key })),
    )
    const copy = new Set(members)
    if (copy.size !== members.length) throw this.#twice(at)
    return changes.mark(copy)
  }

  #readBinary(value: object, at: Step | undefined): object {
    // This throws for a detached or out-of-bounds view.
    const { name, bytes } = this.#foreign(at, () => viewOf(value))
    this.#binaryBytes += bytes.length
    if (this.#binaryBytes > this.#limits.maxBinaryBytes) {
      throw this.#refusal(at, `exceeds the total limit of ${this.#limits.maxBinaryBytes} bytes of binary data`)
    }
    return markCopy(copyBinary(name, bytes), 'binary')
  }

  #readText(text: string, at: Step | undefined, verb: string): string {
    this.#countUnits(text.length, at)
    if (!text.isWellFormed()) throw this.#refusal(at, `${verb} a lone surrogate, which is not valid Unicode`)
    if (this.#unicode === 'keep') return text
    const normal = text.normalize('NFC')
    // All recorded strings are in NFC. If text in any other form were accepted, the record would differ from the
    // function's argument.
    if (normal !== text && this.#unicode === 'refuse')
      throw this.#refusal(at, `${verb} text that is not in Unicode NFC`)
    return normal
  }

  /**
   * Reads the contents of a container after checking that the container does not contain itself and is not nested too
   * deeply.
   */
  #inside<T extends object>(container: object, at: Step | undefined, kind: CopyKind, readContents: () => T): T {
    if (this.#open.has(container)) throw this.#refusal(at, 'contains itself')
    if (this.#open.size >= this.#limits.maxDepth) {
      throw this.#refusal(at, `is nested deeper than ${this.#limits.maxDepth} levels`)
    }
    this.#open.add(container)
    const copy = readContents()
    this.#open.delete(container)
    return markCopy(copy, kind)
  }

  /** Runs an operation that may call the caller's code, such as a getter or a proxy trap, and converts exceptions. */
  #foreign<T>(at: Step | undefined, operation: () => T): T {
    try {
      return operation()
    } catch (cause) {
      throw this.#refusal(at, 'cannot be read', { cause })
    }
  }

  #twice(at: Step | undefined): SnapshotError {
    return this.#refusal(at, 'has two keys or members that are equal in Unicode NFC')
  }

  #count(nodes: number, at: Step | undefined): void {
    this.#expect(nodes, at)
    this.#nodes += nodes
  }

  /**
   * Rejects a container with too many values before any value is read, because an array can claim a length of
   * `2**32-1` at no cost.
   */
  #expect(nodes: number, at: Step | undefined): void {
    if (this.#nodes + nodes > this.#limits.maxNodes)
      throw this.#refusal(at, `exceeds the total limit of ${this.#limits.maxNodes} values`)
  }

  #countUnits(units: number, at: Step | undefined): void {
    this.#stringUnits += units
    if (this.#stringUnits > this.#limits.maxStringLength) {
      throw this.#refusal(at, `exceeds the total limit of ${this.#limits.maxStringLength} characters of text`)
    }
  }

  #refusal(at: Step | undefined, why: string, options?: { readonly cause: unknown }): SnapshotError {
    let path = ''
    for (let step = at; step !== undefined; step = step.parent) path = showStep(step.key) + path
    return new SnapshotError(this.#name + path, why, options)
  }
}

/**
 * Formats a step for a message. A key is caller input, so it is shown only if it is an identifier and does not look
 * like a secret.
 */
function showStep(key: string | number): string {
  if (typeof key === 'number') return `[${key}]`
  return SHOWN_KEY.test(key) && redactSecrets(key) === key ? `.${key}` : '[…]'
}
