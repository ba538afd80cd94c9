/**
 * Which strings of a context are whole numbers. An integer beyond ±(2^53−1) stands there as its digits, because a double does not hold it,
 * and looks like a text that the caller wrote. A rule that compares texts must be able to tell the two apart.
 */
const integers = new WeakMap<object, Set<string>>()

/** @internal The element or member of a redacted value is a whole number that is written as digits. */
export function markIntegerText(holder: object, key: string): void {
  const keys = integers.get(holder) ?? new Set<string>()
  integers.set(holder, keys.add(key))
}

/**
 * Whether a member of a policy's context is an integer beyond ±(2^53−1), which stands there as a string of its digits.
 *
 * @param holder - an object or array inside `args`, `kwargs` or `metadata` of the context that the policy was given; a copy is not known
 * @param key - of the member, or the index of the element
 * @example isIntegerText(context.kwargs, 'id')   // true for a call with 9007199254740993n, false for one with '9007199254740993'
 */
export function isIntegerText(holder: object, key: string): boolean {
  return integers.get(holder)?.has(key) === true
}
