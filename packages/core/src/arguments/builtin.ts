/**
 * Built-in objects that are copied by value: Date, Map, Set, URL, RegExp, ArrayBuffer, Buffer, typed arrays, DataView.
 *
 * Two things must hold. The object has the internal slots of its kind (`Symbol.toStringTag` and a proxy can claim
 * anything, the slots cannot be claimed), and its prototype is the built-in one: an instance of a subclass has
 * behaviour that a copy would lose, so it is passed by reference. Contents are read from the slots, through functions
 * of this realm, so that an own property such as `getTime` or `byteLength` on the object is never looked at.
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
  if (get === undefined) throw new TypeError(`no accessor \`${String(key)}\` in this runtime`)
  return (receiver) => get.call(receiver)
}

/** True for a prototype that makes an object plain: null, `Object.prototype`, or that of another realm. */
export function isPlainPrototype(prototype: object | null): boolean {
  return prototype === null || prototype === Object.prototype || isBuiltin(prototype, 'Object', 0)
}

/**
 * The built-in kind of an object whose prototype has been read already; undefined when it is to be passed by reference.
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
 * Whether this is the prototype of the built-in class of that name, of this realm or another (a vm context; test runners
 * use them). It is known by its constructor's name and its distance from the end of the prototype chain: a subclass is
 * one level further away, also one that took the same name.
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
 * The name of the class that a prototype belongs to, read from plain data properties only: no getter, no proxy's trap
 * and no method runs. Undefined when it cannot be had that way.
 */
export function constructorName(prototype: object): string | undefined {
  if (types.isProxy(prototype)) return undefined
  const maker: unknown = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value
  if (typeof maker !== 'function' || types.isProxy(maker)) return undefined
  const name: unknown = Object.getOwnPropertyDescriptor(maker, 'name')?.value
  return typeof name === 'string' ? name : undefined
}

/** Milliseconds of a Date, NaN when it is an invalid one. */
export function timeOf(date: object): number {
  return Date.prototype.getTime.call(date)
}

/** The text of a URL; undefined for an object that only has its prototype. */
export function hrefOf(url: object): string | undefined {
  try {
    const href = readHref(url)
    return typeof href === 'string' ? href : undefined
  } catch {
    return undefined
  }
}

/** A copy of a RegExp. A `lastIndex` that is no number (it may be anything) becomes 0. */
export function copyRegExp(regexp: object): RegExp {
  // The constructor takes source and flags of a real RegExp from its slots; only `Symbol.match` is looked up on it.
  const copy = new RegExp(regexp as RegExp)
  const lastIndex: unknown = Object.getOwnPropertyDescriptor(regexp, 'lastIndex')?.value
  copy.lastIndex = typeof lastIndex === 'number' && Number.isSafeInteger(lastIndex) ? lastIndex : 0
  return copy
}

/** How many entries a Map or Set has, whatever its `size` property says. */
export function sizeOf(collection: object): number {
  return Number(types.isMap(collection) ? readMapSize(collection) : readSetSize(collection))
}

/** The entries of a Map, without calling anything of its own. */
export function mapEntries(map: object): [unknown, unknown][] {
  const entries: [unknown, unknown][] = []
  forEachOfMap.call(map as Map<unknown, unknown>, (value, key) => entries.push([key, value]))
  return entries
}

/** The members of a Set, without calling anything of its own. */
export function setMembers(set: object): unknown[] {
  const members: unknown[] = []
  forEachOfSet.call(set as Set<unknown>, (member) => members.push(member))
  return members
}

/** The bytes that a buffer, typed array or DataView shows, and its kind's name (`Buffer`, `Float64Array`, …). Not a copy. */
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
 * A copy that shares no memory with the original: what lies beside a view in its buffer (Node's small Buffers share
 * one) is left behind, and shared memory becomes private.
 */
export function copyBinary(name: string, bytes: Uint8Array): object {
  // Buffer.alloc, unlike Buffer.from, never takes a piece of the pool that other Buffers are in.
  const own = name === 'Buffer' ? Buffer.alloc(bytes.length) : new Uint8Array(bytes.length)
  own.set(bytes)
  if (name === 'Buffer' || name === 'Uint8Array') return own
  if (name === 'ArrayBuffer') return own.buffer
  if (name === 'DataView') return new DataView(own.buffer)
  const TypedArray = TYPED_ARRAYS.find((candidate) => candidate.name === name)
  if (TypedArray === undefined) throw new TypeError(`no typed array \`${name}\` in this runtime`)
  return new TypedArray(own.buffer)
}
