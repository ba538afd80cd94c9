/**
 * Checks of untrusted objects, field by field: a shape is a list of fields with a check for each.
 *
 *     const ACTOR = shapeOf({ principal: text(256, 1), source: text(256, 1) })
 *     misfit({ principal: 'bot' }, ACTOR, 'actor') // 'actor.source'
 */

export type Check = (value: unknown) => boolean
export type Shape = readonly (readonly [field: string, check: Check])[]
export type Fields = { readonly [field: string]: unknown }

export const shapeOf = (checks: { readonly [field: string]: Check }): Shape => Object.entries(checks)

export const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Reads own fields only, so that `constructor` and polluted members of Object.prototype are not read. */
export const own = (value: Fields, field: string): unknown => (Object.hasOwn(value, field) ? value[field] : undefined)

/** Lengths are in UTF-16 code units. */
export const text =
  (maxLength: number, minLength = 0): Check =>
  (value) =>
    typeof value === 'string' && value.length >= minLength && value.length <= maxLength
export const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value)
export const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value)
export const oneOf =
  (...values: readonly string[]): Check =>
  (value) =>
    typeof value === 'string' && values.includes(value)

/** Returns the path of the first invalid field of `value`, or null if all fields are valid. */
export function misfit(value: unknown, shape: Shape, path: string): string | null {
  if (!isObject(value)) return path
  for (const [field, check] of shape) {
    if (!check(own(value, field))) return path === '' ? field : `${path}.${field}`
  }
  return null
}

/** Like `misfit`, for an object that must not have other fields. */
export function closedMisfit(value: unknown, shape: Shape, path: string): string | null {
  if (!isObject(value)) return path
  const unknown = Object.keys(value).find((name) => !shape.some(([field]) => field === name))
  return unknown === undefined ? misfit(value, shape, path) : `${path}.${unknown}`
}
