/**
 * Copies built-in objects by value: Date, Map, Set, URL, RegExp, ArrayBuffer, Buffer, typed arrays, DataView.
 *
 * An object is copied if its prototype is the built-in prototype and it has the internal slots of its kind. Unlike
 * `Symbol.toStringTag` or a proxy, internal slots cannot be forged. An instance of a subclass has behaviour that a copy
 * would lose, so it is passed by reference. Functions of this realm read the contents from the slots, so that an own
 * property of the object, such as `getTime` or `byteLength`, is never read.
 */
import { types } from 'node:util'

export type BuiltinKind = 'date' | 'map' | 'set' | 'url' | 'regexp' | 'binary'

const TYPED_ARRAYS = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
] as const

const typedArrayPrototype = Object.getPrototypeOf(Uint8Array.prototype)
const readTypedArrayName = getter(typedArrayPrototype, Symbol.toStringTag)
const readTypedArrayBuffer = getter(typedArrayPrototype, 'buffer')
const readTypedArrayOffset = getter(typedArrayPrototype, 'byteOffset')
const readTypedArrayBytes = getter(typedArrayPrototype, 'byteLength')
const readViewBuffer = getter(DataView.prototype, 'buffer')
const readViewOffset = getter(DataView.prototype, 'byteOffset')
const readViewBytes = getter(DataView.prototype, 'byteLength')
const readHref = getter(URL.prototype, 'href')
const forEachOfMap = Map.prototype.forEach
const forEachOfSet = Set.prototype.forEach
const readMapSize = getter(Map.prototype, 'size')
const readSetSize = getter(Set.prototype, 'size')

function getter(prototype: object, key: PropertyKey): (receiver: object) => unknown {
  const get = Object.getOwnPropertyDescriptor(prototype, key)?.get
  if (get === undefined) throw new TypeError(`this runtime does not have an accessor \`${String(key)}\``)
  return (receiver) => get.call(receiver)
}

/**
 * Whether objects with this prototype are plain objects: the prototype is null or the `Object.prototype` of any
 * realm.
 */
export function isPlainPrototype(prototype: object | null): boolean {
  return prototype === null || prototype === Object.prototype || isBuiltin(prototype, 'Object', 0)
}

/** Whether arrays with this prototype are plain arrays: the prototype is the `Array.prototype` of any realm. */
export function isArrayPrototype(prototype: object | null): boolean {
  return prototype === Array.prototype || (prototype !== null && isBuiltin(prototype, 'Array', 1))
}

/**
 * Returns the built-in kind of an object, determined from its prototype; undefined if the object is passed by
 * reference.
 */
export function builtinKind(value: object, prototype: object): BuiltinKind | undefined {
  if (types.isDate(value)) return isBuiltin(prototype, 'Date', 1) ? 'date' : undefined
  if (types.isMap(value)) return isBuiltin(prototype, 'Map', 1) ? 'map' : undefined
  if (types.isSet(value)) return isBuiltin(prototype, 'Set', 1) ? 'set' : undefined
  if (types.isRegExp(value)) return isBuiltin(prototype, 'RegExp', 1) ? 'regexp' : undefined
  if (types.isArrayBuffer(value)) return isBuiltin(prototype, 'ArrayBuffer', 1) ? 'binary' : undefined
  if (types.isDataView(value)) return isBuiltin(prototype, 'DataView', 1) ? 'binary' : undefined
  if (types.isTypedArray(value)) {
    const name = String(readTypedArrayName(value))
    if (prototype === Buffer.prototype) return name === 'Uint8Array' ? 'binary' : undefined
    const isKnown = TYPED_ARRAYS.some((candidate) => candidate.name === name)
    return isKnown && isBuiltin(prototype, name, 2) ? 'binary' : undefined
  }
  return prototype === URL.prototype && hrefOf(value) !== undefined ? 'url' : undefined
}

/**
 * Whether `prototype` is the prototype of the built-in class with this name, in any realm. Vm contexts and test runners
 * have their own realms. The check compares the constructor's name and the distance to the end of the prototype chain:
 * a subclass is one level further away, even if it has the same name.
 */
function isBuiltin(prototype: object, name: string, levels: number): boolean {
  let last = prototype
  for (let level = 0; level < levels; level++) {
    const next: object | null = types.isProxy(last) ? null : Object.getPrototypeOf(last)
    if (next === null) return false
    last = next
  }
  if (types.isProxy(last) || Object.getPrototypeOf(last) !== null) return false
  return constructorName(prototype) === name
}

/**
 * Returns the class name of a prototype, read only from plain data properties, so that no getter, proxy trap or method
 * runs. Undefined if the name cannot be read this way.
 */
export function constructorName(prototype: object): string | undefined {
  if (types.isProxy(prototype)) return undefined
  const maker: unknown = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value
  if (typeof maker !== 'function' || types.isProxy(maker)) return undefined
  const name: unknown = Object.getOwnPropertyDescriptor(maker, 'name')?.value
  return typeof name === 'string' ? name : undefined
}

/** Returns the Unix time of a Date in milliseconds; NaN for an invalid Date. */
export function timeOf(date: object): number {
  return Date.prototype.getTime.call(date)
}

/** Returns the text of a URL; undefined for an object that is not a URL but has the prototype of `URL`. */
export function hrefOf(url: object): string | undefined {
  try {
    const href = readHref(url)
    return typeof href === 'string' ? href : undefined
  } catch {
    return undefined
  }
}

/** Copies a RegExp. A `lastIndex` that is not an integer becomes 0. */
export function copyRegExp(regexp: object): RegExp {
  // The constructor reads the source and flags of a real RegExp from internal slots. `Symbol.match` is the only
  // property that the constructor looks up on the object itself.
  const copy = new RegExp(regexp as RegExp)
  const lastIndex: unknown = Object.getOwnPropertyDescriptor(regexp, 'lastIndex')?.value
  copy.lastIndex = typeof lastIndex === 'number' && Number.isSafeInteger(lastIndex) ? lastIndex : 0
  return copy
}

/** Returns the number of entries in a Map or Set, regardless of an own `size` property. */
export function sizeOf(collection: object): number {
  return Number(types.isMap(collection) ? readMapSize(collection) : readSetSize(collection))
}

/** Returns the entries of a Map without calling methods of the object. */
export function mapEntries(map: object): [unknown, unknown][] {
  const entries: [unknown, unknown][] = []
  forEachOfMap.call(map as Map<unknown, unknown>, (value, key) => entries.push([key, value]))
  return entries
}

/** Returns the members of a Set without calling methods of the object. */
export function setMembers(set: object): unknown[] {
  const members: unknown[] = []
  forEachOfSet.call(set as Set<unknown>, (member) => members.push(member))
  return members
}

/**
 * Returns the bytes that a buffer, typed array or DataView covers, without copying them, and the name of its kind
 * (`Buffer`, `Float64Array`, …).
 */
export function viewOf(binary: object): { readonly name: string; readonly bytes: Uint8Array } {
  if (types.isTypedArray(binary)) {
    const name = Object.getPrototypeOf(binary) === Buffer.prototype ? 'Buffer' : String(readTypedArrayName(binary))
    return {
      name,
      bytes: bytesAt(readTypedArrayBuffer(binary), readTypedArrayOffset(binary), readTypedArrayBytes(binary)),
    }
  }
  if (types.isDataView(binary)) {
    return { name: 'DataView', bytes: bytesAt(readViewBuffer(binary), readViewOffset(binary), readViewBytes(binary)) }
  }
  return { name: 'ArrayBuffer', bytes: new Uint8Array(binary as ArrayBuffer) }
}

function bytesAt(buffer: unknown, offset: unknown, length: unknown): Uint8Array {
  return new Uint8Array(buffer as ArrayBuffer, Number(offset), Number(length))
}

/**
 * Copies binary data. The copy does not share memory with the original, even if the original uses shared memory. Only
 * the bytes inside the view are copied: Node's small Buffers share one larger buffer.
 */
export function copyBinary(name: string, bytes: Uint8Array): object {
  // Unlike Buffer.from, Buffer.alloc never uses the pool that Buffers share.
  const own = name === 'Buffer' ? Buffer.alloc(bytes.length) : new Uint8Array(bytes.length)
  own.set(bytes)
  if (name === 'Buffer' || name === 'Uint8Array') return own
  if (name === 'ArrayBuffer') return own.buffer
  if (name === 'DataView') return new DataView(own.buffer)
  const TypedArray = TYPED_ARRAYS.find((candidate) => candidate.name === name)
  if (TypedArray === undefined) throw new TypeError(`this runtime does not have a typed array \`${name}\``)
  return new TypedArray(own.buffer)
}
