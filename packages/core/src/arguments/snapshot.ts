/**
 * Reads a caller's arguments once, into copies that no other code can change.
 *
 * The function must run with exactly the arguments that the decision covers. The caller or its framework may keep
 * references to the argument objects and change these objects while an approval is open. A getter or a proxy may return
 * a different value on each read. Therefore, the boundary reads every property exactly once, decides about the copy,
 * and calls the function with the copy. Before the call, the boundary takes a second snapshot of the originals, and
 * `sameSnapshot` compares the two snapshots.
 *
 * | value | in the snapshot |
 * |---|---|
 * | string in Unicode NFC, boolean, finite number, bigint, null, undefined | itself |
 * | plain object, array, from any realm; a proxy that looks like one | copied deeply |
 * | Date, Map, Set, URL, RegExp, ArrayBuffer, Buffer, typed array, DataView | copied by value |
 * | function, symbol, promise, error, stream, instance of a class or subclass | the same reference |
 *
 * For an object, the own enumerable properties with string keys are copied; for an array, the elements, where a hole
 * becomes undefined. A value that occurs twice is copied twice. A value that is passed by reference is compared by
 * identity and never read: changes to it are not detected, and a policy sees only its class name.
 */
import { ARGUMENT_LIMITS, type SnapshotLimits } from '../limits.js'
import { hrefOf, mapEntries, setMembers, timeOf, viewOf } from './builtin.js'
import { type CopyKind, kindOf } from './kind.js'
import { Reader, type UnicodeHandling } from './reader.js'

export interface Snapshot {
  /**
   * The arguments that the decision covers and the function receives. Only the function may change these arguments.
   */
  readonly values: readonly unknown[]
  /** A copy of the own fields of `this`, if `this` is part of the call. */
  readonly receiver: unknown
}

/**
 * Takes a snapshot of a call's arguments.
 *
 * @param unicode - `refuse` rejects strings and names that are not in Unicode NFC; `normalize` converts them to NFC
 * @param receiver - the receiver of the call, if it is part of the call
 * @throws SnapshotError `PARAMETERS_INVALID`, with the path, for: NaN, an infinity, an invalid Date, a lone
 *   surrogate in a string or key, a string that is not in NFC (`refuse`), two names that are equal in NFC, a bigint
 *   of more than `BIGINT_BITS_MAX` bits, a cycle, a getter or trap that throws, a revoked proxy, a detached buffer,
 *   an object with the single member `_sd_digest`, and values beyond `ARGUMENT_LIMITS`
 * @example
 * const order = { amount: 5 }
 * const snapshot = takeSnapshot([order])
 * order.amount = 5_000_000
 * snapshot.values // [{ amount: 5 }]
 */
export function takeSnapshot(
  args: readonly unknown[],
  unicode: Exclude<UnicodeHandling, 'keep'> = 'refuse',
  receiver?: { readonly value: unknown },
): Snapshot {
  const reader = new Reader(ARGUMENT_LIMITS, 'args', unicode)
  return Object.freeze({
    values: Object.freeze(reader.readArguments(args)),
    receiver: receiver && new Reader(ARGUMENT_LIMITS, 'this', unicode).readReceiver(receiver.value),
  })
}

/**
 * Takes a snapshot of one value, such as a call's metadata. Strings are not normalised.
 *
 * @param name - the first part of the paths in errors
 * @throws SnapshotError as `takeSnapshot` does
 */
export function takeValue(value: unknown, name: string, limits: SnapshotLimits = ARGUMENT_LIMITS): unknown {
  return new Reader(limits, name, 'keep').read(value)
}

/**
 * Whether two snapshots contain equal values of equal kinds in the same order, including the order of members and
 * entries. Values that were passed by reference must be identical. `0` and `-0` differ. The comparison does not run
 * caller code.
 */
export function sameSnapshot(a: Snapshot, b: Snapshot): boolean {
  return sameList(a.values, b.values) && same(a.receiver, b.receiver)
}

function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  const kind = kindOf(a)
  if (kind === undefined || kind !== kindOf(b)) return false
  return sameCopies(kind, a as object, b as object)
}

function sameCopies(kind: CopyKind, a: object, b: object): boolean {
  switch (kind) {
    case 'array':
      return sameList(a as unknown[], b as unknown[])
    case 'object':
      return (
        Object.getPrototypeOf(a) === Object.getPrototypeOf(b) &&
        sameList(Object.keys(a), Object.keys(b)) &&
        sameList(Object.values(a), Object.values(b))
      )
    case 'date':
      return timeOf(a) === timeOf(b)
    case 'map':
      return sameList(mapEntries(a).flat(), mapEntries(b).flat())
    case 'set':
      return sameList(setMembers(a), setMembers(b))
    case 'url':
      return hrefOf(a) === hrefOf(b)
    case 'regexp':
      return String(a) === String(b) && (a as RegExp).lastIndex === (b as RegExp).lastIndex
    case 'binary':
      return sameBinary(viewOf(a), viewOf(b))
  }
}

function sameList(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((value, index) => same(value, b[index]))
}

function sameBinary(a: ReturnType<typeof viewOf>, b: ReturnType<typeof viewOf>): boolean {
  return a.name === b.name && Buffer.compare(a.bytes, b.bytes) === 0
}
