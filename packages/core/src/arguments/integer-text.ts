/**
 * Marks the strings of a context that represent integers. An integer beyond ±(2^53−1) is given as a string of
 * digits, because a double cannot represent it. Rules that compare strings must be able to tell it from a string
 * that the caller wrote.
 */
const integers = new WeakMap<object, Set<string>>()

/** @internal Marks a member of a redacted value as an integer that is written as digits. */
export function markIntegerText(holder: object, key: string): void {
  const keys = integers.get(holder) ?? new Set<string>()
  integers.set(holder, keys.add(key))
}

/**
 * Whether a member of a policy's context is an integer beyond ±(2^53−1), which is given as a string of its digits.
 *
 * @param holder - an object or array inside `args`, `kwargs` or `metadata` of the context that the policy received;
 *   copies of it are not recognised
 * @param key - the name of the member, or the index of the element
 * @example isIntegerText(context.kwargs, 'id')   // true for a call with 9007199254740993n, false for one with
 *   '9007199254740993'
 */
export function isIntegerText(holder: object, key: string): boolean {
  return integers.get(holder)?.has(key) === true
}
