/**
 * A copy of an options object with its own fields and no prototype. Each field is read once. A property on
 * `Object.prototype`, such as one left by an unsafe JSON merge elsewhere in the process, is not an option.
 *
 * @example const { busyTimeoutMs = 10_000 } = ownFields(options)
 */
export function ownFields<T extends object>(options: T): T {
  return { __proto__: null, ...options } as T
}
