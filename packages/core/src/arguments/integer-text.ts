/**
 * Marks the strings in a context that represent integers. An integer beyond ±(2^53−1) becomes a string of digits,
 * because a double cannot represent it. Rules that compare strings must be able to distinguish such a string from a
 * string that the caller wrote.
 */
const integers = new WeakMap<object, Set<string>>()

/** Whether an integer is recorded as a string of digits, because a double cannot represent it exactly. */
export function isWideInteger(value: unknown): boolean {
  return (
    typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value))
  )
}

/** @internal Marks a member of a redacted value as an integer written as digits. */
export function markIntegerText(holder: object, key: string): void {
  const keys = integers.get(holder) ?? new Set<string>()
  integers.set(holder, keys.add(key))
}

/**
 * Whether a member in a policy's context is an integer beyond ±(2^53−1), which the context contains as a string of
 * digits.
 *
 * @param holder - an object or array inside `args`, `kwargs` or `metadata` of the context that the policy received.
 * Copies of such objects are not recognised
 * @param key - the member name or the element index
 * @example isIntegerText(context.kwargs, 'id')   // true for a call with 9007199254740993n, false for one with
 *   '9007199254740993'
 */
export function isIntegerText(holder: object, key: string): boolean {
  return integers.get(holder)?.has(key) === true
}
