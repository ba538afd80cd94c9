/**
 * Copies the own fields of an options object to an object without a prototype, and reads each field once. A property
 * on `Object.prototype`, for example from an unsafe JSON merge elsewhere in the process, is therefore not an option.
 *
 * @example const { busyTimeoutMs = 10_000 } = ownFields(options)
 */
export function ownFields<T extends object>(options: T): T {
  return { __proto__: null, ...options } as T
}
