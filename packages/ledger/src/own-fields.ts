/**
 * A copy of an options object that has its own fields and no prototype. Each field is read once, and a name that somebody put on
 * `Object.prototype` (a JSON merge elsewhere in the process is enough) is not an option.
 *
 * @example const { busyTimeoutMs = 10_000 } = ownFields(options)
 */
export function ownFields<T extends object>(options: T): T {
  return { __proto__: null, ...options } as T
}
